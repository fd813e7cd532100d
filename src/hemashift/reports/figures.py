"""The figures of an evaluation.

Every function takes where to draw first: a path (PNG or SVG by suffix), matplotlib axes, or
None for a figure of its own, which it returns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from hemashift.evaluation import Evaluation, Interval
from hemashift.evaluation.curves import thin
from hemashift.reports.style import ACCENT, GREY, INK, LINES, SECOND, class_colours, drawing

SCORE_NAMES = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "macro_precision": "Macro precision",
    "macro_recall": "Macro recall",
    "macro_f1": "Macro F1",
}
"""Scores as they are written in tables and figures."""


@drawing(5.2, 4.4)
def draw_confusion(axes: Axes, evaluation: Evaluation) -> None:
    """Draw the confusion matrix: shade = share of the true class, number = cells.

    Args:
        axes: A path, axes, or None.
        evaluation: What to draw.
    """
    counts = evaluation.confusion
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    places = range(len(evaluation.classes))
    size = 8 if len(places) <= 8 else 6
    for row in places:
        for column in places:
            if counts[row, column] == 0:
                continue
            share = shares[row, column]
            axes.text(
                column,
                row,
                f"{counts[row, column]}\n{f'{100 * share:.0f}' if share >= 0.005 else '<1'} %",
                ha="center",
                va="center",
                fontsize=size,
                color="white" if share > 0.55 else INK,
                fontweight="bold" if row == column else "normal",
            )
    names = [f"{name} ({n:,})" for name, n in zip(evaluation.classes, total[:, 0], strict=True)]
    axes.set_xticks(places, evaluation.classes, rotation=35, ha="right", rotation_mode="anchor")
    axes.set_yticks(places, names)
    axes.set_xticks(np.arange(len(places) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(places) + 1) - 0.5, minor=True)
    axes.grid(False)
    axes.grid(True, which="minor", color="#d0d0d0", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel="Predicted class", ylabel="True class (cells)")
    axes.set_title("Confusion matrix")


@drawing(5.2, 4.0)
def draw_precision_recall(axes: Axes, evaluation: Evaluation) -> None:
    """Draw the precision-recall curve of each class and their average, with areas.

    Args:
        axes: A path, axes, or None.
        evaluation: What to draw. Classes that do not occur have no curve.
    """
    colours = class_colours(evaluation.classes)
    for k, name in enumerate(evaluation.classes):
        curve = thin(evaluation.precision_recall[k], 401)
        if curve.recall.size == 0:
            continue
        axes.plot(
            curve.recall,
            curve.precision,
            color=colours[name],
            linestyle=LINES[k % len(LINES)],
            linewidth=1.4,
            label=f"{name} ({curve.area:.3f})",
        )
    average = evaluation.average_precision_recall
    axes.plot(
        average.recall,
        average.precision,
        color=INK,
        linewidth=3.2,
        zorder=1.5,  # under the classes, which it would hide where all is well
        label=f"average ({average.area:.3f})",
    )
    axes.set(xlim=(0, 1.005), ylim=(0, 1.02), xlabel="Recall", ylabel="Precision")
    axes.set_title("Precision and recall")
    axes.legend(title="Class (area)", loc="center left", bbox_to_anchor=(1.0, 0.5))


@drawing(4.0, 4.0)
def draw_reliability(axes: Axes, evaluation: Evaluation) -> None:
    """Draw how often a prediction of given confidence is right, and how many there are.

    Args:
        axes: A path, axes, or None.
        evaluation: What to draw.
    """
    bins = evaluation.reliability
    filled = bins.count > 0
    left, width = bins.edges[:-1], np.diff(bins.edges)
    axes.bar(
        left,
        bins.count / bins.count.sum(),
        width,
        align="edge",
        color="#d9d9d9",
        edgecolor="white",
        label="share of the cells",
    )
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle="--", label="perfect")
    axes.plot(
        bins.confidence[filled],
        bins.accuracy[filled],
        color=ACCENT,
        marker="o",
        markersize=5,
        linewidth=1.5,
        label="observed",
    )
    axes.set(xlim=(0, 1), ylim=(0, 1.02), aspect="equal")
    axes.set(xlabel="Confidence (probability of the prediction)", ylabel="Fraction right")
    axes.set_title(f"Reliability (ECE {evaluation.calibration['ece']:.3f})")
    axes.legend(loc="upper left")


@drawing(5.2, 3.6)
def draw_class_scores(axes: Axes, evaluation: Evaluation) -> None:
    """Draw precision and recall of each class that occurs, with limits.

    Args:
        axes: A path, axes, or None.
        evaluation: What to draw.
    """
    present = [one for one in evaluation.per_class if one.support]
    colours = class_colours(evaluation.classes)
    for place, one in enumerate(present):
        for offset, interval, hatch in ((-0.2, one.precision, ""), (0.2, one.recall, "////")):
            axes.barh(
                place + offset,
                interval.estimate,
                0.36,
                color=colours[one.name],
                hatch=hatch,
                edgecolor="white",
                linewidth=0,
            )
            _whisker(axes, interval, place + offset)
    axes.set_yticks(range(len(present)), [f"{one.name} ({one.support:,})" for one in present])
    axes.set(xlim=(0, 1.01), ylim=(len(present) - 0.4, -0.6), xlabel="Score")
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(f"Precision and recall with {100 * evaluation.confidence:.0f} % limits")
    handles = [
        axes.barh(-9, 0, color=GREY, edgecolor="white", linewidth=0, hatch=hatch)
        for hatch in ("", "////")
    ]
    axes.legend(handles, ["precision", "recall"], loc="center left", bbox_to_anchor=(1.0, 0.5))


@drawing(4.6, 3.6)
def draw_risk_coverage(axes: Axes, evaluation: Evaluation) -> None:
    """Draw the error that remains when the least sure cells are left to a person.

    Args:
        axes: A path, axes, or None.
        evaluation: What to draw.
    """
    curve = evaluation.risk_coverage
    step = max(1, len(curve.coverage) // 500)
    shown = np.unique(np.append(np.arange(0, len(curve.coverage), step), len(curve.coverage) - 1))
    axes.plot(curve.coverage[shown], curve.risk[shown], color=ACCENT, linewidth=1.6)
    overall = float(curve.risk[-1])
    axes.plot([1], [overall], "o", color=ACCENT, clip_on=False)
    axes.annotate(
        f"all cells: {100 * overall:.1f} % wrong",
        (1, overall),
        xytext=(-8, 8),
        textcoords="offset points",
        ha="right",
        fontsize=8,
    )
    axes.set(xlim=(0, 1), ylim=(0, min(1.08, max(1.35 * float(curve.risk[shown].max()), 0.02))))
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=" %"))
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=" %"))
    axes.set(xlabel="Cells kept, the surest first", ylabel="Wrong among them")
    axes.set_title("Error when unsure cells go to a person")


@drawing(5.6, 2.8)
def draw_comparison(
    axes: Axes,
    methods: Mapping[str, Mapping[str, Interval]],
    scores: Sequence[str] = ("accuracy", "macro_f1", "macro_recall", "macro_precision"),
    title: str = "Comparison",
) -> None:
    """Draw the scores of several methods (such as before and after) with their limits.

    Args:
        axes: A path, axes, or None.
        methods: Name of a method -> name of a score -> its value; `Evaluation.overall`.
        scores: Which scores, in order.
        title: Title of the figure.
    """
    palette = [GREY, ACCENT, SECOND, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", INK]
    markers = ["o", "s", "D", "^", "v", "P", "X", "*"]
    spread = np.linspace(-0.28, 0.28, len(methods)) if len(methods) > 1 else np.zeros(1)
    lowest = 1.0
    for number, (name, values) in enumerate(methods.items()):
        colour = palette[number % len(palette)]
        for place, score in enumerate(scores):
            interval = values[score]
            if np.isnan(interval.estimate):
                continue
            height = place + spread[number]
            _whisker(axes, interval, height, colour=colour, width=1.6)
            axes.plot(
                interval.estimate,
                height,
                markers[number % len(markers)],
                color=colour,
                markersize=6,
                label=name if place == 0 else None,
            )
            axes.annotate(
                f"{interval.estimate:.3f}",
                (interval.estimate, height),
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize=7,
            )
            lowest = min(lowest, np.nanmin([interval.estimate, interval.low]))
    axes.set_yticks(range(len(scores)), [SCORE_NAMES.get(one, one) for one in scores])
    axes.set(ylim=(len(scores) - 0.4, -0.6), xlim=(max(0.0, np.floor(10 * lowest) / 10), 1.01))
    axes.grid(False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_title(title)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))


def _whisker(
    axes: Axes, interval: Interval, height: float, colour: str = INK, width: float = 1.1
) -> None:
    if np.isnan(interval.low) or np.isnan(interval.high):
        return
    axes.add_line(
        Line2D([interval.low, interval.high], [height, height], color=colour, linewidth=width)
    )
    for end in (interval.low, interval.high):
        axes.plot([end, end], [height - 0.07, height + 0.07], color=colour, linewidth=width)
