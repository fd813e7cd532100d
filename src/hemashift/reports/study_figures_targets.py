"""Figures of the study of targets: accuracy, and precision-recall curves (figures 6, 7 and B.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hemashift.reports.frames import rows_by
from hemashift.reports.panels import dataset_marks, legend_beside, marker_handle, panels, styled
from hemashift.reports.style import ACCENT, GREY, INK, LINES, SECOND, class_colours

APPROACH_COLOURS = (ACCENT, SECOND, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", GREY)
APPROACH_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")
_ROW = 0.22  # inches that one approach takes
# A legend within a panel; curves that pass below it stay visible.
_WITHIN: Any = {
    "loc": "lower left",
    "fontsize": 6.5,
    "title_fontsize": 7,
    "frameon": True,
    "framealpha": 0.75,
    "edgecolor": "none",
}


@styled
def draw_accuracy(
    scores: pd.DataFrame,
    datasets: Sequence[str],
    approaches: Sequence[str],
    published: Mapping[str, float],
) -> Figure:
    """Draw the accuracy on each dataset with its limits, and that of the paper beside (figure 6).

    Args:
        scores: Columns `dataset`, `approach`, `value`, `low`, `high`; one row a pair.
        datasets: Datasets, from top to bottom.
        approaches: Approaches, in order.
        published: Accuracy of the paper, by dataset; those not known are left out.
    """
    height = 1.0 + len(datasets) * (0.16 + _ROW * len(approaches))
    figure, [[axes]] = panels(1, 1, 5.6, height)
    spread = np.linspace(-0.3, 0.3, len(approaches)) if len(approaches) > 1 else np.zeros(1)
    found = rows_by(scores, "dataset", "approach")
    for row, dataset in enumerate(datasets):
        if dataset in published:
            axes.plot(published[dataset], row, "|", color=INK, markersize=22, markeredgewidth=1.4)
        for place, approach in enumerate(approaches):
            one = found.get((dataset, approach))
            if one is None:
                continue
            colour = APPROACH_COLOURS[place % len(APPROACH_COLOURS)]
            marker = APPROACH_MARKERS[place % len(APPROACH_MARKERS)]
            at = row + spread[place]
            axes.plot([one["low"], one["high"]], [at, at], color=colour, linewidth=1.6)
            axes.plot(one["value"], at, marker, color=colour, markersize=5)
            axes.annotate(
                f"{one['value']:.3f}",
                (one["value"], at),
                xytext=(0, 3.5),
                textcoords="offset points",
                ha="center",
                fontsize=6.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3, "alpha": 0.8},
            )
    _rows(axes, datasets)
    lowest = float(np.nanmin([scores["low"].min(), scores["value"].min(), 0.9]))
    axes.set(xlim=(max(0.0, np.floor(10 * lowest) / 10), 1.01), xlabel="Accuracy")
    handles = [
        marker_handle(
            APPROACH_MARKERS[place % len(APPROACH_MARKERS)],
            approach,
            APPROACH_COLOURS[place % len(APPROACH_COLOURS)],
        )
        for place, approach in enumerate(approaches)
    ]
    if set(published) & set(datasets):
        handles.append(marker_handle("|", "the paper", INK, markersize=12))
    legend_beside(figure, handles)
    return figure


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """Name the rows of a figure from top to bottom."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)


@styled
def draw_average_curves(
    curves: pd.DataFrame, areas: pd.DataFrame, datasets: Sequence[str], approaches: Sequence[str]
) -> Figure:
    """Draw the precision-recall curves averaged over classes, a panel an approach (figure 7).

    Args:
        curves: Columns `dataset`, `approach`, `recall`, `precision`.
        areas: Columns `dataset`, `approach`, `area`.
        datasets: Datasets, in order.
        approaches: Approaches, a panel each.
    """
    figure, [row] = panels(1, len(approaches), 3.4, 3.4)
    marks = dataset_marks(datasets)
    for axes, approach in zip(row, approaches, strict=True):
        own = areas[areas["approach"] == approach].set_index("dataset")["area"]
        for number, dataset in enumerate(datasets):
            chosen = (curves["dataset"] == dataset) & (curves["approach"] == approach)
            part = curves[chosen].sort_values("recall")
            if part.empty:
                continue
            marker, colour = marks[dataset]
            axes.plot(
                part["recall"],
                part["precision"],
                color=colour,
                linestyle=LINES[number % len(LINES)],
                marker=marker,
                markevery=(5 + 2 * number, 25),
                markersize=4,
                linewidth=1.3,
                label=f"{dataset} ({own[dataset]:.3f})",
            )
        _square(axes)
        axes.set_title(approach)
        axes.legend(title="Dataset (area)", **_WITHIN)
    return figure


@styled
def draw_class_curves(
    curves: pd.DataFrame, areas: pd.DataFrame, datasets: Sequence[str], classes: Sequence[str]
) -> Figure:
    """Draw the precision-recall curve of each class, a panel a dataset (figure B.1).

    Args:
        curves: Columns `dataset`, `class`, `recall`, `precision`; one approach.
        areas: Columns `dataset`, `class`, `area`.
        datasets: Datasets, a panel each.
        classes: Classes, in order.
    """
    columns = min(3, max(1, len(datasets)))
    width = 2.5 if columns > 1 else 3.8  # room for the legend beside a single panel
    figure, grid = panels(max(1, -(-len(datasets) // columns)), columns, width, 2.5)
    places = [axes for row in grid for axes in row]
    colours = class_colours(classes)
    for axes, dataset in zip(places, datasets, strict=False):
        own = areas[areas["dataset"] == dataset].set_index("class")["area"]
        for number, name in enumerate(classes):
            part = curves[(curves["dataset"] == dataset) & (curves["class"] == name)]
            if part.empty:
                continue
            axes.plot(
                *(part.sort_values("recall")[key] for key in ("recall", "precision")),
                color=colours[name],
                linestyle=LINES[number % len(LINES)],
                linewidth=1.4,
                label=f"{own[name]:.2f}",
            )
        _square(axes)
        axes.set_title(dataset)
        axes.legend(title="Area", ncols=2, **_WITHIN)
    for axes in places[len(datasets) :]:
        axes.set_axis_off()
    handles = [
        Line2D([], [], color=colours[name], linestyle=LINES[number % len(LINES)], label=name)
        for number, name in enumerate(classes)
    ]
    legend_beside(figure, handles)
    return figure


def _square(axes: Axes) -> None:
    axes.set(xlim=(0, 1.005), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision")
