"""Figures of the study of sample size (Appendix D of the paper), drawn from its tables alone."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from hemashift.reports.panels import dataset_marks, legend_beside, marker_handle, panels, styled
from hemashift.reports.style import ACCENT, GREY, SECOND, class_colours, drawing

SAMPLING_TITLES = {"random": "drawn at random", "balanced": "balanced by an oracle"}
"""What the ways to draw labels are called."""

_COLUMNS = 4
_LEGEND = 1.7  # inches
_LINES = {"random": "-", "balanced": "--"}
_MARKERS = {"random": "o", "balanced": "s"}
_COLOURS = {"random": ACCENT, "balanced": SECOND}


@styled
def draw_score_by_size(summary: pd.DataFrame, metric: str, title: str) -> Figure:
    """Draw a score of all classes together against the number of labels, a panel a dataset.

    Args:
        summary: Rows with `dataset`, `sampling` (`random` or `balanced`), `labels`, `metric`,
            `mean` and `sd` (NaN for a single draw). The band is one deviation to both sides.
        metric: Which score.
        title: What the score is called.
    """
    chosen = summary[summary["metric"] == metric]
    datasets = sorted(chosen["dataset"].unique())
    columns = min(_COLUMNS, max(1, len(datasets)))
    rows = max(1, -(-len(datasets) // columns))
    figure, grid = panels(rows, columns, 2.3, 2.2, beside=_LEGEND, sharey=True)
    places = [axes for row in grid for axes in row]
    sizes = sorted(chosen["labels"].unique())
    for place, (axes, dataset) in enumerate(zip(places, datasets, strict=False)):
        for sampling, part in chosen[chosen["dataset"] == dataset].groupby("sampling"):
            _curve(axes, part, str(sampling), _COLOURS[str(sampling)])
        axes.set_title(dataset)
        axes.set_xticks(sizes)
        if place + columns >= len(datasets):  # nothing below
            axes.set_xlabel("Labels")
        if place % columns == 0:
            axes.set_ylabel(title)
    for axes in places[len(datasets) :]:
        axes.set_axis_off()
    _legend(figure, chosen["sampling"].unique().tolist(), coloured=True)
    return figure


@styled
def draw_class_score_by_size(
    summary: pd.DataFrame, metric: str, title: str, classes: Sequence[str]
) -> Figure:
    """Draw a score of each class against the number of labels, datasets by classes.

    Args:
        summary: As for `draw_score_by_size`, with `class`.
        metric: `precision` or `recall`.
        title: What the score is called.
        classes: The classes, in order. A dataset that lacks one has an empty panel.
    """
    chosen = summary[summary["metric"] == metric]
    datasets = sorted(chosen["dataset"].unique())
    colours = class_colours(classes)
    figure, grid = panels(
        max(1, len(datasets)),
        max(1, len(classes)),
        1.5,
        1.5,
        beside=_LEGEND,
        sharey=True,
        sharex=True,
    )
    sizes = sorted(chosen["labels"].unique())
    for row, dataset in zip(grid, datasets, strict=False):
        for axes, name in zip(row, classes, strict=True):
            part = chosen[(chosen["dataset"] == dataset) & (chosen["class"] == name)]
            for sampling, curve in part.groupby("sampling"):
                _curve(axes, curve, str(sampling), colours[name])
            if part.empty:
                axes.text(0.5, 0.5, "no cells", transform=axes.transAxes, ha="center", color=GREY)
        row[0].set_ylabel(f"{dataset}\n{title}")
    for axes, name in zip(grid[0], classes, strict=True):
        axes.set_title(name, color=colours[name], fontsize=9)
    for axes in grid[-1]:
        axes.set_xlabel("Labels")
    # All sizes would not fit side by side below so narrow a panel.
    grid[0][0].set_xticks(sorted({sizes[0], sizes[len(sizes) // 2], sizes[-1]} if sizes else ()))
    grid[0][0].set_ylim(-0.03, 1.03)
    _legend(figure, chosen["sampling"].unique().tolist(), coloured=False)
    return figure


@drawing(4.8, 3.4)
def draw_cells_looked_at(axes: Axes, looked_at: pd.DataFrame) -> None:
    """Draw how many cells a person looks at for so many labels balanced between the classes.

    Args:
        axes: A path, axes, or None.
        looked_at: Rows with `dataset`, `labels`, and `mean` cells looked at over the draws.
    """
    for dataset, (marker, colour) in dataset_marks(looked_at["dataset"]).items():
        part = looked_at[looked_at["dataset"] == dataset].sort_values("labels")
        axes.plot(
            part["labels"], part["mean"], marker=marker, color=colour, markersize=5, label=dataset
        )
    sizes = sorted(looked_at["labels"].unique())
    axes.plot(sizes, sizes, color=GREY, linestyle="--", linewidth=1, label="drawn at random")
    axes.set_xticks(sizes)
    axes.set(xlabel="Labels, balanced between the classes", ylabel="Cells looked at")
    axes.set_ylim(bottom=0)
    axes.set_title("What balanced labels cost")
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _curve(axes: Axes, part: pd.DataFrame, sampling: str, colour: str) -> None:
    """Draw one mean with its band; a single draw has no band."""
    ordered = part.sort_values("labels")
    mean, spread = ordered["mean"], ordered["sd"].fillna(0.0)
    axes.fill_between(
        ordered["labels"], mean - spread, mean + spread, color=colour, alpha=0.18, linewidth=0
    )
    axes.plot(
        ordered["labels"],
        mean,
        color=colour,
        linestyle=_LINES[sampling],
        marker=_MARKERS[sampling],
        markersize=3.5,
        markerfacecolor=colour if sampling == "random" else "white",
        linewidth=1.4,
    )


def _legend(figure: Figure, samplings: Sequence[str], *, coloured: bool) -> None:
    handles: list[Line2D] = [
        marker_handle(
            _MARKERS[name],
            SAMPLING_TITLES[name],
            _COLOURS[name] if coloured else "#555555",
            linestyle=_LINES[name],
            markersize=4,
            markerfacecolor=(_COLOURS[name] if coloured else "#555555")
            if name == "random"
            else "white",
        )
        for name in _LINES
        if name in samplings
    ]
    legend_beside(figure, handles, "Labels")
