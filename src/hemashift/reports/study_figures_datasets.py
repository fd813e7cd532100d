"""Figures of the study of datasets: cells side by side (figures 2 to 4 of the paper)."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from hemashift.reports.montage import draw_montage
from hemashift.reports.panels import panels, styled
from hemashift.reports.style import GREY

Pixels = NDArray[np.uint8]


@styled
def draw_grid(
    pictures: Sequence[Sequence[Pixels | None]],
    rows: Sequence[str],
    columns: Sequence[str],
    colours: Mapping[str, str] | None = None,
    side: float = 0.9,
) -> Figure:
    """Draw pictures in rows and columns with names.

    Args:
        pictures: A picture, or None, for each column of each row; uint8 (H, W, 3), shown whole.
        rows: Names of the rows.
        columns: Names of the columns.
        colours: Colour of the frame and name of a column, for classes.
        side: Side of a picture, in inches.

    Examples:
        >>> grey = np.full((8, 8, 3), 128, np.uint8)
        >>> figure = draw_grid([[grey, None]], ["ours"], ["before", "after"])
        >>> len(figure.axes)
        2
    """
    figure, grid = panels(len(rows), len(columns), side, side)
    figure.set_layout_engine("constrained", h_pad=0.02, w_pad=0.02)
    for row, line, name in zip(grid, pictures, rows, strict=True):
        for axes, picture, column in zip(row, line, columns, strict=True):
            colour = (colours or {}).get(column, GREY)
            axes.set(xticks=[], yticks=[])
            axes.grid(False)
            axes.spines[:].set_visible(picture is not None)
            axes.spines[:].set(color=colour, linewidth=1.5)
            if picture is not None:
                axes.imshow(picture, interpolation="antialiased")
        row[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
    for axes, column in zip(grid[0], columns, strict=True):
        axes.set_title(column, loc="center", fontsize=7, fontweight="normal")
    return figure


def montage_png(rows: Sequence[tuple[str, Sequence[Pixels]]], title: str) -> bytes:
    """Return a montage of cells by class as a PNG file; see `draw_montage`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "montage.png"
        draw_montage(rows, path, title)
        return path.read_bytes()
