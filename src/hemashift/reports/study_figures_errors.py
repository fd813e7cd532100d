"""Figures of wrong predictions (Fig. 11 and 13 of the paper), drawn from tables alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hemashift.reports.panels import class_handles, legend_beside, marker_handle, panels, styled
from hemashift.reports.study_figures_pictures import name_map
from hemashift.reports.style import INK, class_colours, drawing

MOST_BARS = 40
"""Probability vectors that one figure shows."""


@styled
def draw_error_map(cells: pd.DataFrame, cell_class: str, classes: Sequence[str]) -> Figure:
    """Draw where wrongly predicted cells of a class lie: by true and by predicted class.

    Args:
        cells: One row a cell: `x`, `y`, `class` and `predicted`.
        cell_class: Class whose wrong cells are circled.
        classes: All classes, for the legend.
    """
    figure, ((left, right),) = panels(1, 2, 3.3, 3.6, beside=1.5)
    colours = class_colours(classes)
    wrong = cells[(cells["class"] == cell_class) & (cells["predicted"] != cell_class)]
    for axes, column, title in ((left, "class", "True class"), (right, "predicted", "Predicted")):
        axes.scatter(
            cells["x"],
            cells["y"],
            s=16,
            color=cells[column].map(colours),
            linewidths=0.3,
            edgecolors="white",
        )
        axes.scatter(
            wrong["x"], wrong["y"], s=55, facecolors="none", edgecolors=INK, linewidths=1.1
        )
        name_map(axes, title, f"circled: {len(wrong)} wrongly predicted cells")
    shown = [name for name in classes if name in {*cells["class"], *cells["predicted"]}]
    circle = marker_handle("o", f"{cell_class}, wrong", INK, markerfacecolor="none", markersize=8)
    legend_beside(figure, [*class_handles(shown), circle])
    return figure


@drawing(5.6, 4.2)
def draw_probability_vectors(
    axes: Axes, vectors: pd.DataFrame, cell_class: str, classes: Sequence[str]
) -> None:
    """Draw the probabilities of wrongly predicted cells of a class, a bar a cell.

    Cells are ordered by predicted class, then by the probability of the true class; a dot marks
    those whose true class is second. At most `MOST_BARS` are shown, evenly chosen.

    Args:
        axes: A path, axes, or None.
        vectors: One row a cell and class: `cell`, `predicted`, `class` and `probability`.
        cell_class: The true class.
        classes: All classes, in order.
    """
    wide = vectors.pivot(index="cell", columns="class", values="probability")
    predicted = vectors.groupby("cell")["predicted"].first()
    order = wide.assign(predicted=predicted).sort_values(
        ["predicted", cell_class], ascending=[True, False], kind="stable"
    )
    chosen = np.unique(np.linspace(0, len(order) - 1, min(len(order), MOST_BARS)).astype(int))
    order = order.iloc[chosen]
    places = np.arange(len(order))
    # The true class starts every bar, so that its lengths can be compared.
    sequence = [cell_class, *(name for name in classes if name != cell_class)]
    start = np.zeros(len(order))
    colours = class_colours(classes)
    for name in sequence:
        length = order[name].to_numpy(dtype=float)
        axes.barh(places, length, 0.85, left=start, color=colours[name], label=name)
        start += length
    second = _is_second(order[list(classes)], cell_class)
    axes.plot(
        np.full(int(second.sum()), 1.025),
        places[second],
        "o",
        color=INK,
        markersize=3,
        clip_on=False,
        label=f"{cell_class} is second",
    )
    _name_groups(axes, order["predicted"])
    axes.set(xlim=(0, 1), ylim=(len(order) - 0.4, -0.6), xlabel="Probability")
    axes.grid(False, axis="y")
    axes.set_title(f"Wrongly predicted: {cell_class}")
    axes.legend(loc="center left", bbox_to_anchor=(1.04, 0.5))


def _is_second(probabilities: pd.DataFrame, cell_class: str) -> np.ndarray:
    values = probabilities.to_numpy(dtype=float)
    own = probabilities[cell_class].to_numpy(dtype=float)
    return np.asarray((values > own[:, None]).sum(axis=1) == 1)


def _name_groups(axes: Axes, predicted: pd.Series) -> None:
    """Name each run of bars by the class predicted, and rule a line between runs."""
    names = predicted.to_numpy(dtype=str)
    starts = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    ends = np.append(starts[1:], len(names))
    axes.set_yticks((starts + ends - 1) / 2, [f"called {names[i]}" for i in starts])
    axes.tick_params(axis="y", length=0)
    for start in starts[1:]:
        axes.axhline(start - 0.5, color=INK, linewidth=0.8)
