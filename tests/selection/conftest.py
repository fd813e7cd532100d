"""Cells as points of a few classes, cells as drawn pictures, and the model that is shipped."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.images import list_images
from hemashift.model.bundle import Bundle, default_model
from hemashift.selection.contract import Problem
from hemashift.selection.looking import Seen, look

CLASSES = ("lymphocyte", "monocyte", "neutrophil")
MakeProblem = Callable[..., Problem]
DrawCell = Callable[[int], np.ndarray]


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    return default_model()


@pytest.fixture
def make_problem() -> MakeProblem:
    """Make a problem of points around one centre a class; counts are the cells of each class."""

    def make(counts: tuple[int, ...] = (40, 30, 20), labels: int = 0, **other: object) -> Problem:
        rng = np.random.default_rng(3)
        truth = rng.permutation(np.repeat(np.arange(len(counts)), counts))
        vectors = np.eye(8)[truth] + rng.normal(0, 0.15, (len(truth), 8))
        # Probabilities by the distance to the centres, a little off.
        near = -((vectors[:, None] - np.eye(8)[: len(CLASSES)]) ** 2).sum(axis=2)
        weights = np.exp(3 * near)
        thought = (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)
        labelled = rng.permutation(len(truth))[:labels]
        given: dict[str, object] = {
            "vectors": vectors.astype(np.float32),
            "copies": np.arange(len(truth)),
            "source": thought,
            "classes": CLASSES,
            "labelled": labelled,
            "targets": truth[labelled],
            "current": thought if labels else None,
        }
        return Problem(**{**given, **other})  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def cells(tmp_path_factory: pytest.TempPathFactory, draw_lobes: DrawCell) -> Path:
    """24 drawn cells in `smear-1`, a turned copy, a copy of a file, and a damaged file."""
    folder = tmp_path_factory.mktemp("laboratory") / "cells"
    (folder / "smear-1").mkdir(parents=True)
    for i in range(24):
        Image.fromarray(draw_lobes(i)).save(folder / "smear-1" / f"{i:02d}.png")
    Image.fromarray(np.rot90(draw_lobes(0))).save(folder / "turned.png")
    (folder / "again.png").write_bytes((folder / "smear-1" / "01.png").read_bytes())
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\n no picture")
    return folder


@pytest.fixture(scope="session")
def seen(cells: Path, shipped: Bundle) -> Seen:
    """What is seen in these images; looked at once, because that takes seconds."""
    return look(shipped, list_images(cells), threads=1)


@pytest.fixture
def laboratory(tmp_path: Path, cells: Path) -> Path:
    """A folder of one's own that holds `cells`."""
    shutil.copytree(cells, tmp_path / "cells")
    return tmp_path
