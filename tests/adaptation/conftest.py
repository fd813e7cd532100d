"""Drawn cells of several colours, and a model with random weights that has seen none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.adaptation.contract import Cells, Task
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder

SIZE = 64
COLOURS = {
    "basophil": (60, 30, 150),
    "eosinophil": (200, 90, 60),
    "erythroblast": (90, 60, 60),
    "lymphocyte": (120, 60, 160),
    "monocyte": (90, 130, 200),
    "neutrophil": (180, 140, 190),
    "blast": (40, 160, 80),
    "smudge": (230, 200, 60),
}
Draw = Callable[[str, int], np.ndarray]
MakeTask = Callable[..., Task]


def draw_cell(label: str, seed: int) -> np.ndarray:
    """A disc in the colour of its class on a field of the same tint, uint8 (64, 64, 3)."""
    rng = np.random.default_rng([seed, sorted(COLOURS).index(label)])
    rows, columns = np.mgrid[:SIZE, :SIZE]
    distance = np.hypot(rows - 32 - rng.normal(0, 3), columns - 32 - rng.normal(0, 3))
    image = np.full((SIZE, SIZE, 3), COLOURS[label], np.float64)
    image[distance > rng.uniform(26, 30)] += 30
    return (image + rng.normal(0, 4, image.shape)).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="session")
def draw() -> Draw:
    return draw_cell


@pytest.fixture(scope="session")
def encoder(bundle: Bundle) -> Encoder:
    return Encoder(bundle, threads=1)


@pytest.fixture(scope="session")
def make_task(bundle: Bundle, encoder: Encoder) -> MakeTask:
    """Make a task from labels; classes beyond those of the model come last."""

    def make(labels: Sequence[str], seed: int = 0, model: Bundle = bundle) -> Task:
        images = np.stack([draw_cell(label, i) for i, label in enumerate(labels)])
        known = model.card.classes
        classes = (*known, *sorted(set(labels) - set(known)))
        targets = np.array([classes.index(label) for label in labels], dtype=np.int64)
        groups = np.array([f"cell {i}" for i in range(len(labels))])
        pool = encoder.encode(np.stack([draw_cell("monocyte", 100 + i) for i in range(3)]))
        return Task(
            model, Cells(images, encoder.encode(images)), targets, groups, classes, pool, seed
        )

    return make


@pytest.fixture
def laboratory(tmp_path: Path) -> Path:
    """Folder `cells` with 36 images of three classes; `labels.csv` beside it labels 24."""
    rows = ["path,label"]
    for label in ("lymphocyte", "monocyte", "neutrophil"):
        for i in range(12):
            path = tmp_path / "cells" / ("a" if i % 2 else "b") / f"{label[:2]}{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw_cell(label, i)).save(path)
            if i < 8:
                rows.append(f"{path.relative_to(tmp_path / 'cells').as_posix()},{label}")
    (tmp_path / "labels.csv").write_text("\n".join(rows) + "\n")
    return tmp_path
