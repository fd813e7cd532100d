"""Cells drawn by the computer, for a demonstration where no real image is to be had.

A drawing has what tells the six classes apart for a beginner: size, shape of the nucleus, colour
and grain of the cytoplasm, red cells around. It is no substitute for a cell, and scores on
drawings say nothing about cells. Two laboratories draw the same cells with another stain,
magnification and light, so that there is a domain shift to adapt to.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hemashift.cells import Cell, CellTable
from hemashift.demo.slide import LABORATORIES, Laboratory, Plane, Slide
from hemashift.errors import HemashiftError
from hemashift.taxonomy import CLASSES


def _lobes(slide: Slide, count: int, ring: float, size: float, spread: float) -> Plane:
    """Return lobes of a nucleus on an arc, joined by thin bridges."""
    rng = slide.rng
    angles = rng.uniform(0, 2 * np.pi) + np.linspace(0, spread, count)
    shape: Plane = np.zeros_like(slide.x)
    places = [
        (ring * np.cos(a) + rng.normal(0, 0.15), ring * np.sin(a) + rng.normal(0, 0.15))
        for a in angles
    ]
    for x, y in places:
        shape = np.maximum(shape, slide.blob(x, y, size * rng.normal(1, 0.07), 0.1))
    for (x0, y0), (x1, y1) in pairwise(places):
        for part in (0.25, 0.5, 0.75):
            x, y = x0 + part * (x1 - x0), y0 + part * (y1 - y0)
            shape = np.maximum(shape, slide.blob(x, y, size * 0.4, 0.02))
    return shape


def _neutrophil(slide: Slide) -> None:
    rng = slide.rng
    body = slide.blob(0, 0, rng.normal(6.3, 0.35))
    slide.eosin += body * (0.16 + 0.03 * slide.texture(0.5))
    slide.azure += body * 0.05 + 0.12 * slide.granules(body, 260, 0.3)
    count = int(rng.integers(3, 6))
    lobes = _lobes(slide, count, 2.9, 5.6 / (count + 0.6) ** 0.75, rng.uniform(3.2, 4.6))
    slide.nucleus(lobes, 1.0, 0.7, 0.12)


def _eosinophil(slide: Slide) -> None:
    rng = slide.rng
    body = slide.blob(0, 0, rng.normal(6.6, 0.35))
    slide.eosin += body * 0.35 + 0.9 * slide.granules(body, 330, 0.6)
    slide.nucleus(_lobes(slide, 2, 2.6, 2.3, rng.uniform(2.0, 2.9)), 0.95, 0.7, 0.12)


def _basophil(slide: Slide) -> None:
    body = slide.blob(0, 0, slide.rng.normal(5.8, 0.35), 0.05)
    slide.blue += body * 0.35
    slide.nucleus(_lobes(slide, 2, 1.7, 2.6, 2.4), 0.55, 0.8, 0.1)
    slide.azure += 0.95 * slide.granules(body, 120, 0.75)


def _lymphocyte(slide: Slide) -> None:
    rng = slide.rng
    radius = rng.normal(4.4, 0.4)
    slide.blue += slide.blob(0, 0, radius, 0.05) * rng.uniform(0.7, 1.0)
    x, y = rng.normal(0, 0.3, 2)
    slide.nucleus(slide.blob(x, y, radius * rng.uniform(0.78, 0.88), 0.03), 0.98, 1.2, 0.12)


def _monocyte(slide: Slide) -> None:
    rng = slide.rng
    body = slide.blob(0, 0, rng.normal(8.0, 0.5), 0.06)
    slide.blue += body * (0.75 + 0.08 * slide.texture(0.8))
    for _ in range(rng.poisson(3)):
        x, y = rng.normal(0, 4.5, 2)
        slide.blue *= 1 - 0.8 * slide.blob(x, y, rng.uniform(0.4, 0.8))
    slide.nucleus(_lobes(slide, 5, 2.4, 2.6, rng.uniform(2.2, 3.0)), 0.68, 0.9, 0.15)


def _erythroblast(slide: Slide) -> None:
    rng = slide.rng
    radius = rng.normal(4.3, 0.35)
    body = slide.blob(0, 0, radius, 0.04)
    slide.eosin += body * rng.uniform(0.5, 0.8)
    slide.blue += body * rng.uniform(0.2, 0.5)
    x, y = rng.normal(0, 0.35, 2)
    slide.nucleus(slide.blob(x, y, radius * rng.uniform(0.5, 0.6), 0.03), 1.3, 0.8, 0.18)


_PAINTERS = {
    "basophil": (_basophil, 5.8),
    "eosinophil": (_eosinophil, 6.6),
    "erythroblast": (_erythroblast, 4.3),
    "lymphocyte": (_lymphocyte, 4.4),
    "monocyte": (_monocyte, 8.0),
    "neutrophil": (_neutrophil, 6.3),
}


def draw_cell(
    cell_class: str, rng: np.random.Generator, laboratory: Laboratory = LABORATORIES["a"]
) -> NDArray[np.uint8]:
    """Draw one cell in the middle of a field of red cells.

    Args:
        cell_class: One of the six classes.
        rng: Where chance comes from.
        laboratory: How the picture looks.

    Returns:
        uint8 (120, 120, 3).

    Raises:
        HemashiftError: The class is none of the six.

    Examples:
        >>> draw_cell("monocyte", np.random.default_rng(0)).shape
        (120, 120, 3)
    """
    if cell_class not in _PAINTERS:
        raise HemashiftError(
            "there is no drawing of this class", expected=", ".join(CLASSES), found=cell_class
        )
    painter, radius = _PAINTERS[cell_class]
    slide = Slide(laboratory, rng)
    slide.surroundings(radius)
    painter(slide)
    return slide.picture()


MIX = {
    "basophil": 15,
    "eosinophil": 35,
    "erythroblast": 20,
    "lymphocyte": 60,
    "monocyte": 40,
    "neutrophil": 80,
}
"""Cells a class in the drawn dataset: uneven, as in blood, but none too rare to be learned."""


def draw_dataset(
    folder: str | Path,
    *,
    laboratory: str = "b",
    counts: Mapping[str, int] = MIX,
    seed: int = 0,
) -> CellTable:
    """Draw a dataset and write it as PNG files.

    Args:
        folder: Where to; made if missing. Files there are overwritten.
        laboratory: Name of one of `LABORATORIES`.
        counts: Cells of each class.
        seed: The same seed draws the same cells.

    Returns:
        The cells with their classes, in shuffled order.
    """
    rng = np.random.default_rng([seed, sorted(LABORATORIES).index(laboratory)])
    names = [name for name, count in counts.items() for _ in range(count)]
    cells = []
    Path(folder).mkdir(parents=True, exist_ok=True)
    for number, place in enumerate(rng.permutation(len(names)), start=1):
        file = f"drawn_{number:04d}.png"
        picture = draw_cell(names[place], rng, LABORATORIES[laboratory])
        Image.fromarray(picture).save(Path(folder) / file)
        cells.append(Cell(file, names[place], names[place]))
    return CellTable.from_cells(cells, folder, f"drawn_{laboratory}")
