"""A montage: one row a class, cells side by side at one size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write, check_file
from hemashift.taxonomy import CLASS_COLOURS, OUTSIDE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_CELL = 0.9  # inches a cell's side
_FRAME = 0.03  # of a cell's side
_DPI = 120
_FORMATS = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".pdf", ".svg")


def check_picture(path: str | Path) -> None:
    """Refuse a name or place at which no picture can be written, before the work.

    Args:
        path: The picture to write.

    Raises:
        HemashiftError: The suffix is of no format known here, or nothing can be written there.
    """
    if Path(path).suffix.lower() not in _FORMATS:
        raise HemashiftError(
            "a picture of this format cannot be written",
            expected=f"a name in {', '.join(_FORMATS)}",
            where=path,
        )
    check_file(path)


def draw_montage(
    rows: Sequence[tuple[str, Sequence[NDArray[np.uint8]]]],
    path: str | Path,
    title: str = "",
) -> None:
    """Draw rows of cells, each under the name and in the colour of its class.

    Args:
        rows: A name and its images a row; an image is `uint8`, (height, width, 3), and is shown
            whole, in its proportions, in a square. Rows may differ in length.
        path: The picture to write; the suffix gives the format, such as `.png` or `.pdf`.
        title: Written above.

    Raises:
        HemashiftError: As `check_picture`.
        ValueError: If no row holds an image.

    Examples:
        >>> import tempfile
        >>> grey = np.full((20, 20, 3), 128, dtype=np.uint8)
        >>> file = Path(tempfile.mkdtemp()) / "cells.png"
        >>> draw_montage([("neutrophil", [grey, grey]), ("monocyte", [grey])], file)
        >>> file.stat().st_size > 1000
        True
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    check_picture(path)
    columns = max((len(images) for _, images in rows), default=0)
    if columns == 0:
        raise ValueError("there is no image to draw")

    # One axes in units of cells: thousands of axes would be slow and hard to align.
    margin = 1.4  # cells, for the names at the left
    above = 0.6 if title else 0.1
    width, height = margin + columns + 0.13, above + len(rows)
    figure = Figure(figsize=(width * _CELL, height * _CELL), dpi=_DPI)
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(-margin - 0.08, columns + 0.05), ylim=(len(rows), -above))
    axes.set_axis_off()
    if title:
        axes.text(-margin + 0.1, -above / 2, title, fontsize=10, va="center", weight="bold")
    for row, (name, images) in enumerate(rows):
        colour = CLASS_COLOURS.get(name, CLASS_COLOURS[OUTSIDE])
        axes.add_patch(
            Rectangle((-margin, row + 0.1), 0.07, 0.8, facecolor=colour, edgecolor="none")
        )
        axes.text(-margin + 0.14, row + 0.5, name, fontsize=8.5, va="center")
        for column, image in enumerate(images):
            _show(axes, image, column, row)
            axes.add_patch(
                Rectangle(
                    (column + _FRAME, row + _FRAME),
                    1 - 2 * _FRAME,
                    1 - 2 * _FRAME,
                    fill=False,
                    edgecolor=colour,
                    linewidth=1.8,
                )
            )
    with atomic_write(path) as aside:
        figure.savefig(aside, dpi=_DPI, facecolor="white")


def _show(axes: Axes, image: NDArray[np.uint8], column: int, row: int) -> None:
    """Put an image into the middle of its square, the longer side filling it."""
    height, width = image.shape[:2]
    half = (0.5 - _FRAME) / max(height, width)
    x, y = column + 0.5, row + 0.5
    axes.imshow(
        image,
        extent=(x - half * width, x + half * width, y + half * height, y - half * height),
        interpolation="antialiased",
        aspect="auto",
    )
