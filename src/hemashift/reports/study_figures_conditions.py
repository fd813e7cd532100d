"""A figure of one score under several conditions: a mark a dataset, a bar for their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from hemashift.reports.frames import rows_of
from hemashift.reports.panels import dataset_marks, legend_beside, marker_handle, panels, styled
from hemashift.reports.style import INK


@styled
def draw_conditions(
    scores: pd.DataFrame, conditions: Sequence[str], label: str, *, marked: Sequence[str] = ()
) -> Figure:
    """Draw a score of each dataset under each condition, and the mean over datasets.

    Args:
        scores: Columns `condition`, `dataset`, `value`; one row a pair.
        conditions: Conditions, from top to bottom.
        label: What the score is called.
        marked: Conditions whose names are followed by an asterisk.

    Examples:
        >>> scores = pd.DataFrame({"condition": ["a"], "dataset": ["bccd"], "value": [0.8]})
        >>> len(draw_conditions(scores, ["a"], "Accuracy").axes)
        1
    """
    figure, [[axes]] = panels(1, 1, 5.8, 0.9 + 0.34 * len(conditions))
    marks = dataset_marks(scores["dataset"])
    spread = dict(zip(marks, np.linspace(-0.2, 0.2, len(marks)), strict=True))
    for row, condition in enumerate(conditions):
        part = scores[scores["condition"] == condition]
        for one in rows_of(part):
            marker, colour = marks[one["dataset"]]
            at = row + spread[one["dataset"]]
            axes.plot(one["value"], at, marker, color=colour, markersize=4.5, alpha=0.9)
        if len(part):
            mean = float(part["value"].mean())
            axes.plot([mean, mean], [row - 0.34, row + 0.34], color=INK, linewidth=2.2)
            axes.annotate(
                f"{mean:.3f}",
                (1.0, row),
                xycoords=("axes fraction", "data"),
                xytext=(4, 0),
                textcoords="offset points",
                va="center",
                fontsize=7,
            )
    names = [f"{name} *" if name in marked else name for name in conditions]
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    lowest = float(scores["value"].min()) if len(scores) else 0.0
    axes.set(xlim=(max(0.0, np.floor(10 * lowest) / 10), 1.01), xlabel=label)
    handles = [marker_handle(marker, name, colour) for name, (marker, colour) in marks.items()]
    handles.append(marker_handle("|", "mean", INK, markersize=11, markeredgewidth=2.2))
    legend_beside(figure, handles)
    return figure
