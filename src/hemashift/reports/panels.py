"""Figures of several panels, and marks that tell datasets apart where colour tells classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hemashift.reports.style import FURTHER_COLOURS, SETTINGS, class_colours

MARKERS = ("o", "^", "s", "D", "v", "P", "X", "*", "<", ">", "p", "h")
"""Shapes, so that datasets can be told apart without colour."""

styled = matplotlib.rc_context(SETTINGS)
"""Decorator of functions that draw a whole figure: they draw it in the style of hemashift."""


def panels(
    rows: int, columns: int, width: float, height: float, *, beside: float = 0.0, **options: Any
) -> tuple[Figure, list[list[Axes]]]:
    """Make a figure of equal panels.

    Args:
        rows: Rows of panels.
        columns: Columns of panels.
        width: Width of a panel, in inches.
        height: Its height.
        beside: Width that is left for a legend.
        options: Further arguments of `Figure.subplots`, such as `sharey`.

    Returns:
        The figure, and its panels by row and column.

    Examples:
        >>> figure, axes = panels(2, 3, 1.5, 1.2)
        >>> len(axes), len(axes[0]), figure.get_size_inches().tolist()
        (2, 3, [4.5, 2.4])
    """
    figure = Figure(figsize=(columns * width + beside, rows * height), layout="constrained")
    FigureCanvasAgg(figure)
    found = figure.subplots(rows, columns, squeeze=False, **options)
    return figure, [list(row) for row in found]


def dataset_marks(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return marker and colour of each dataset, by the order of their names.

    Examples:
        >>> dataset_marks(["munich_2019", "bccd"])
        {'bccd': ('o', '#332288'), 'munich_2019': ('^', '#882255')}
    """
    ordered = sorted(set(names))
    return {
        name: (MARKERS[i % len(MARKERS)], FURTHER_COLOURS[i % len(FURTHER_COLOURS)])
        for i, name in enumerate(ordered)
    }


def legend_beside(figure: Figure, handles: Sequence[Line2D], title: str = "") -> None:
    """Put one legend for all panels to their right."""
    figure.legend(
        handles=list(handles),
        title=title or None,
        loc="outside right upper",
        alignment="left",
        borderaxespad=0.3,
    )


def class_handles(classes: Iterable[str]) -> list[Line2D]:
    """Return a dot in the colour of each class, for legends."""
    return [
        Line2D([], [], linestyle="", marker="o", markersize=6, color=colour, label=name)
        for name, colour in class_colours(classes).items()
    ]


def marker_handle(marker: str, label: str, colour: str = "#555555", **options: Any) -> Line2D:
    """Return a mark with its name, for legends."""
    settings = {"linestyle": "", "markersize": 6, **options}
    return Line2D([], [], marker=marker, color=colour, label=label, **settings)
