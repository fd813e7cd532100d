"""Thumbnails: as is and standardised, cached by content, never of another image."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.app import importing
from hemashift.app.pictures import picture
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.colour import create
from hemashift.errors import ImageError
from hemashift.images import read_image

from .conftest import cells_by_path, draw_cell

NAME = "a/monocyte-1.png"


def pixels(content: bytes) -> np.ndarray:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    return np.asarray(image).astype(float)


def test_looks_and_sizes(project: Project, images: Path) -> None:
    Image.new("RGB", (900, 600), (180, 120, 160)).save(images / "wide.png")
    importing.refresh(project)
    cell = cells_by_path(project)["wide.png"]
    sizes = {size: pixels(picture(project, cell, "as_is", size)).shape[:2] for size in
             ("grid", "large", "full")}  # fmt: skip
    assert sizes == {"grid": (85, 128), "large": (341, 512), "full": (600, 900)}
    small = cells_by_path(project)[NAME]
    assert pixels(picture(project, small, "as_is", "large")).shape == (64, 64, 3)


def test_as_is_and_standardised(project: Project, images: Path) -> None:
    cell = cells_by_path(project)[NAME]
    original = read_image(images / NAME)
    standard = create("reinhard")(original)
    # Means over the image: JPEG smooths the grain of these drawings.
    for look, expected in (("as_is", original), ("standardised", standard)):
        found = pixels(picture(project, cell, look, "full"))  # type: ignore[arg-type]
        assert np.abs(found.mean(axis=(0, 1)) - expected.mean(axis=(0, 1))).max() < 3
    assert np.abs(standard.mean(axis=(0, 1)) - original.mean(axis=(0, 1))).max() > 10


def test_thumbnails_come_with_the_import(project: Project, images: Path) -> None:
    """The grid is shown without reading an image again, even when its file is gone."""
    cell = cells_by_path(project)[NAME]
    kept = picture(project, cell)
    (images / NAME).unlink()
    assert picture(project, cell) == kept
    with pytest.raises(ImageError, match="gone or was changed"):
        picture(project, cell, "as_is", "large")


def test_a_picture_is_never_that_of_another_cell(project: Project, images: Path) -> None:
    cell = cells_by_path(project)[NAME]
    draw_cell("neutrophil", 3).save(images / NAME)
    with pytest.raises(ImageError, match="gone or was changed"):
        picture(project, cell, "as_is", "full")


def test_a_lost_cache_is_drawn_again(project: Project) -> None:
    cell = cells_by_path(project)[NAME]
    before = picture(project, cell)
    for file in project.cache.rglob("*.jpg"):
        file.unlink()
    assert picture(project, cell) == before
    assert len(list(project.cache.rglob("*.jpg"))) == 1


def test_an_unknown_cell_is_refused(project: Project) -> None:
    with pytest.raises(ProjectError):
        picture(project, 10**6)
