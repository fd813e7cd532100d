"""Spaces hold the cells that can be read, as pixels, embeddings or class scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from hemashift.cells import Cell, CellTable
from hemashift.colour import create
from hemashift.errors import ImageError
from hemashift.studies.data import Dataset
from hemashift.studies.pictures.spaces import (
    SIDE,
    adapted_spaces,
    embedding_space,
    pixel_spaces,
    some_cells,
)
from hemashift.studies.workspace import Workspace


@pytest.fixture
def gamma(busy: Workspace) -> Dataset:
    found = busy.dataset("gamma")
    assert found is not None
    return found


def test_a_few_cells_of_each_dataset_are_taken(busy: Workspace) -> None:
    cells = some_cells(busy.sources(), 10, seed=0)
    assert cells.frame["dataset"].value_counts().to_dict() == {"alpha": 10, "beta": 10}
    assert len(some_cells(busy.sources(), 1000, seed=0)) == 32 + 24


def test_pixels_before_and_after_the_transform(gamma: Dataset) -> None:
    before, after = pixel_spaces(gamma.cells, create("reinhard"))
    assert before.vectors.shape == after.vectors.shape == (32, SIDE * SIDE * 3)
    assert before.vectors.dtype == np.float32
    assert 0 <= before.vectors.min() < before.vectors.max() <= 1
    # The transform brings the colours of all images together.
    colours = [one.vectors.reshape(32, -1, 3).mean(axis=1) for one in (before, after)]
    assert colours[1].std(axis=0).max() < 0.7 * colours[0].std(axis=0).max()


def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "good.png")
    (tmp_path / "bad.png").write_text("no image")
    cells = [Cell(f"{name}.png", cell_class="monocyte") for name in ("bad", "good")]
    before, _ = pixel_spaces(CellTable.from_cells(cells, tmp_path, "ours"), create("none"))
    assert before.cells.frame["path"].tolist() == ["good.png"]
    with pytest.raises(ImageError, match="no image can be read"):
        pixel_spaces(CellTable.from_cells(cells[:1], tmp_path, "ours"), create("none"))


def test_embeddings_have_length_one(busy: Workspace, gamma: Dataset) -> None:
    space = embedding_space(busy, "Ours", busy.model("own"), gamma.cells)
    np.testing.assert_allclose(np.linalg.norm(space.vectors, axis=1), 1, rtol=1e-5)
    assert len(space.cells) == 32


def test_a_new_head_is_shown_by_its_class_scores(busy: Workspace, gamma: Dataset) -> None:
    drawn = busy.draw(gamma, 0)
    before, after = adapted_spaces(busy, "own_probe", gamma, drawn)
    assert before.name == "Class scores before adaptation"
    assert before.vectors.shape == after.vectors.shape == (len(drawn.scored), 6)
    np.testing.assert_allclose(after.vectors.mean(axis=1), 0, atol=1e-4)
    assert not np.allclose(before.vectors, after.vectors)
    scored = gamma.cells.select(np.sort(drawn.scored)).frame["path"].tolist()
    assert before.cells.frame["path"].tolist() == scored


def test_a_new_encoder_is_shown_by_its_embedding(busy: Workspace, gamma: Dataset) -> None:
    before, after = adapted_spaces(busy, "own_finetuned", gamma, busy.draw(gamma, 0))
    assert after.name == "Embedding after adaptation"
    assert before.vectors.shape == after.vectors.shape
    assert before.vectors.shape[1] == 128
    assert not np.allclose(before.vectors, after.vectors)
