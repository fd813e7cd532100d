"""The map of why a cell was called so, laid over its picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("timm")

from hemashift.app import explaining, importing, pictures, reviewing
from hemashift.app.classifying import classify_project
from hemashift.app.project import Project
from hemashift.app.refusals import ProjectError
from hemashift.errors import ImageError
from hemashift.model import saliency

from .conftest import cells_by_path

NAME = "a/monocyte-1.png"


def overlay(project: Project, cell: int) -> np.ndarray:
    image = Image.open(io.BytesIO(explaining.why(project, cell)))
    assert (image.format, image.mode) == ("PNG", "RGBA")
    return np.asarray(image)


def test_the_map_lies_over_the_picture(encoded: Project, images: Path) -> None:
    Image.new("RGB", (900, 600), (180, 120, 160)).save(images / "wide.png")
    importing.refresh(encoded)
    classify_project(encoded)
    for name in (NAME, "wide.png"):
        cell = cells_by_path(encoded)[name]
        picture = Image.open(io.BytesIO(pictures.picture(encoded, cell, "as_is", "large")))
        found = overlay(encoded, cell)
        assert (found.shape[1], found.shape[0]) == picture.size
        assert found[..., 3].max() < 255  # the cell is always seen through it


def test_it_is_of_the_class_that_the_version_gave(
    encoded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    classify_project(encoded)
    cell = cells_by_path(encoded)[NAME]
    asked = []

    class Ask(saliency.Saliency):
        def __call__(self, image: np.ndarray, label: str | None = None) -> np.ndarray:
            asked.append(label)
            return super().__call__(image, label)

    monkeypatch.setattr(saliency, "Saliency", Ask)
    assert explaining.why(encoded, cell) == explaining.why(encoded, cell, 1)
    assert asked == [reviewing.cells(encoded, [cell])[0].predicted] * 2
    assert len(encoded.memory["saliency"]) == 1  # the network is loaded once


def test_a_cell_that_is_not_classified_has_none(encoded: Project) -> None:
    cell = cells_by_path(encoded)[NAME]
    with pytest.raises(ProjectError, match="has not classified"):
        explaining.why(encoded, cell)
    classify_project(encoded)
    for cell_, version in ((cell, 7), (999_999, 1)):
        with pytest.raises(ProjectError, match="has not classified"):
            explaining.why(encoded, cell_, version)


def test_a_changed_image_has_none(encoded: Project, images: Path) -> None:
    classify_project(encoded)
    cell = cells_by_path(encoded)[NAME]
    (images / NAME).write_bytes(b"another")
    with pytest.raises(ImageError, match="gone or was changed"):
        explaining.why(encoded, cell)


def test_what_the_network_does_not_see_is_grey_and_the_map_is_where_it_was_cut_out() -> None:
    found = np.zeros((32, 32), np.float32)
    found[:16, :16] = 1
    content = explaining._overlay(found, (20, -10, 60, 30), (50, 100))
    drawn = np.asarray(Image.open(io.BytesIO(content)))
    assert drawn.shape == (50, 100, 4)
    assert tuple(drawn[40, 10]) == explaining._UNSEEN
    opaque = drawn[..., 3] > 160
    rows, columns = np.nonzero(opaque)
    assert rows.min() == 0 and abs(rows.max() - 9) <= 2
    assert columns.min() == 20 and abs(columns.max() - 39) <= 2
    assert drawn[25, 55, 3] == 0  # seen, and spoke for nothing
