"""Tiny datasets of drawn cells; the tests of this folder need PyTorch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hemashift.cells import CellTable
from hemashift.datasets import open_table

pytest.importorskip("torch")
pytest.importorskip("lightning_fabric")

COLOURS = {"lymphocyte": (90, 40, 140), "monocyte": (120, 60, 160), "neutrophil": (60, 30, 110)}


def draw_cell(colour: tuple[int, int, int], radius: float, rng: np.random.Generator) -> np.ndarray:
    """A dark nucleus in a paler cell on a light field, uint8 (72, 80, 3)."""
    rows, columns = np.mgrid[:72, :80]
    y, x = 36 + rng.uniform(-4, 4), 40 + rng.uniform(-4, 4)
    distance = np.hypot(rows - y, columns - x)
    image = np.full((72, 80, 3), (236, 226, 232), np.float64)
    image[distance < 1.6 * radius] = (200, 190, 220)
    image[distance < radius] = colour
    return (image + rng.normal(0, 3, image.shape)).clip(0, 255).astype(np.uint8)


def write_dataset(folder: Path, per_class: int, seed: int) -> Path:
    """A folder a class, as a laboratory keeps its images."""
    rng = np.random.default_rng(seed)
    for number, (name, colour) in enumerate(COLOURS.items()):
        (folder / name).mkdir(parents=True)
        for i in range(per_class):
            image = draw_cell(colour, 9 + 4 * number, rng)
            Image.fromarray(image).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("cells")
    return {
        name: write_dataset(root / name, per_class, seed)
        for seed, (name, per_class) in enumerate({"large": 10, "small": 5, "other": 3}.items())
    }


@pytest.fixture(scope="session")
def tables(folders: dict[str, Path]) -> list[CellTable]:
    return [open_table(folders[name]).table for name in ("large", "small")]


@pytest.fixture(scope="session")
def other(folders: dict[str, Path]) -> CellTable:
    return open_table(folders["other"]).table
