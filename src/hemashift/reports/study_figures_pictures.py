"""Maps of images and embeddings (Fig. 8 to 10 of the paper), drawn from tables alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hemashift.reports.panels import (
    class_handles,
    dataset_marks,
    legend_beside,
    marker_handle,
    panels,
    styled,
)
from hemashift.reports.style import class_colours

_SIDE = 3.3  # inches


@styled
def draw_maps(
    points: pd.DataFrame,
    headings: Mapping[str, str],
    colour_by: Literal["class", "dataset"] = "class",
) -> Figure:
    """Draw maps side by side, each with its name above and its numbers below.

    Args:
        points: One row a cell and map: `map`, `x`, `y`, `class` and `dataset`.
        headings: Name of each map, in order -> what is written below it.
        colour_by: `class` colours the classes, and shapes are datasets; `dataset` gives both
            colour and shape to the dataset.
    """
    figure, ((*places,),) = panels(1, max(1, len(headings)), _SIDE, _SIDE + 0.5, beside=1.3)
    marks = dataset_marks(points["dataset"])
    colours = class_colours(sorted(points["class"].unique()))
    for axes, (name, heading) in zip(places, headings.items(), strict=False):
        for dataset, part in points[points["map"] == name].groupby("dataset"):
            marker, own = marks[str(dataset)]
            axes.scatter(
                part["x"],
                part["y"],
                s=16,
                marker=marker,
                color=own if colour_by == "dataset" else part["class"].map(colours),
                # Half seen through, so that no dataset hides another.
                alpha=0.7,
                linewidths=0.3,
                edgecolors="white",
            )
        name_map(axes, name, heading)
    datasets = [
        marker_handle(marker, name, own if colour_by == "dataset" else "#555555")
        for name, (marker, own) in marks.items()
    ]
    if colour_by == "dataset":
        legend_beside(figure, datasets)
    else:
        # The shape of a single dataset tells nothing.
        legend_beside(figure, [*class_handles(colours), *(datasets if len(datasets) > 1 else ())])
    return figure


def name_map(axes: Axes, title: str, below: str) -> None:
    """Write above and below a map, and take away its scales, which mean nothing."""
    axes.set_title(title)
    axes.set_xlabel(below, loc="left", fontsize=8)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
