"""What the study of targets shows: tables and figures from its summaries.

In every function, `datasets` and `approaches` are names in the order in which they are shown, and
`titles` says what an approach is called.
"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from hemashift.evaluation import Interval
from hemashift.reports.frames import Row, rows_by, rows_of
from hemashift.reports.parts import percent, with_limits
from hemashift.reports.sections import Pictures, Section, Table
from hemashift.reports.study_figures_targets import (
    draw_accuracy,
    draw_average_curves,
    draw_class_curves,
)
from hemashift.studies.contract import Illustration
from hemashift.studies.counting import in_order
from hemashift.studies.published import ACCURACY

AVERAGE = "average"
"""Stands in the column `class` for the curve averaged over the classes."""


def table_3(runs: pd.DataFrame, datasets: Sequence[str]) -> Table:
    """Return how many cells were labelled and scored."""
    most = rows_by(runs.groupby("dataset", as_index=False)[["labels", "scored"]].max(), "dataset")
    rows = [
        (name, f"{most[name,]['labels']:.0f}", f"{most[name,]['scored']:.0f}") for name in datasets
    ]
    return Table("Table 3, labelled cells", ("Dataset", "Labelled cells", "Scored cells"), rows)


def accuracy_figure(
    scores: pd.DataFrame,
    runs: pd.DataFrame,
    datasets: Sequence[str],
    approaches: Sequence[str],
    titles: dict[str, str],
) -> Pictures:
    """Return the accuracy on each target with limits, and that of the paper.

    Args:
        scores: Columns `dataset`, `approach`, `metric`, `value`, `low`, `high`.
        runs: One row an adaptation, with its `draw`.
        datasets: Targets.
        approaches: Approaches.
        titles: What they are called.
    """
    accuracy = scores[scores["metric"] == "accuracy"]
    accuracy = accuracy.assign(approach=accuracy["approach"].map(titles))
    names = [titles[name] for name in approaches]
    figure = draw_accuracy(accuracy, datasets, names, ACCURACY)
    draws = int(runs["draw"].nunique())
    alt = "; ".join(
        f"{one['dataset']}, {one['approach']}: {percent(one['value'])}" for one in rows_of(accuracy)
    )
    over = (
        "bootstrap over the scored cells"
        if draws == 1
        else f"means of {draws} draws of labels; bootstrap over the scored cells of all draws, so "
        "that the limits are those of a single adaptation"
    )
    return Pictures(
        "Figure 6, accuracy",
        [Illustration(figure, f"Accuracy. {alt}", name="figure_6")],
        note=f"95 % limits: {over}; over whole patients or smears where they are known. The stroke "
        "is the paper's figure, on the full dataset.",
    )


def accuracy_table(
    scores: pd.DataFrame, datasets: Sequence[str], approaches: Sequence[str], titles: dict[str, str]
) -> Table:
    """Return accuracy and macro F1 with limits; `scores` as in `accuracy_figure`."""
    metrics = ("accuracy", "macro_f1")
    found = rows_by(scores, "dataset", "approach", "metric")
    rows = []
    for dataset in datasets:
        cells = [
            with_limits(_interval(found[key])) if (key := (dataset, name, one)) in found else ""
            for name in approaches
            for one in metrics
        ]
        paper = ACCURACY.get(dataset)
        rows.append((dataset, *cells, "" if paper is None else percent(paper, 0)))
    columns = [f"{titles[name]}: {one}" for name in approaches for one in ("accuracy", "macro F1")]
    return Table("Scores on each target", ("Dataset", *columns, "Paper, accuracy"), rows)


def average_curves(
    curves: pd.DataFrame,
    areas: pd.DataFrame,
    datasets: Sequence[str],
    approaches: Sequence[str],
    titles: dict[str, str],
) -> Pictures:
    """Return the curves averaged over classes.

    Args:
        curves: Columns `dataset`, `approach`, `class`, `recall`, `precision`.
        areas: Columns `dataset`, `approach`, `class`, `area`.
        datasets: Targets.
        approaches: Approaches.
        titles: What they are called.
    """
    own, own_areas = (
        table[table["class"] == AVERAGE].assign(approach=lambda t: t["approach"].map(titles))
        for table in (curves, areas)
    )
    names = [titles[name] for name in approaches]
    figure = draw_average_curves(own, own_areas, datasets, names)
    alt = "; ".join(
        f"{one['dataset']}, {one['approach']}: {one['area']:.3f}" for one in rows_of(own_areas)
    )
    return Pictures(
        "Figure 7, precision and recall",
        [Illustration(figure, f"Area under the averaged curves. {alt}", name="figure_7")],
        note="Averaged over the classes that occur, then over the draws of labels. The paper: "
        "above 0.85 on every dataset.",
    )


def class_curves(
    curves: pd.DataFrame,
    areas: pd.DataFrame,
    datasets: Sequence[str],
    approaches: Sequence[str],
    titles: dict[str, str],
) -> list[Section]:
    """Return the curves of each class, a figure an approach; tables as in `average_curves`."""
    sections: list[Section] = []
    for name in approaches:
        own, own_areas = (
            table[(table["approach"] == name) & (table["class"] != AVERAGE)]
            for table in (curves, areas)
        )
        classes = in_order(own["class"])
        figure = draw_class_curves(own, own_areas, datasets, classes)
        alt = f"Precision-recall curves of each class of {', '.join(datasets)}, {titles[name]}"
        picture = Illustration(figure, alt, name=f"figure_b1_{name}")
        sections.append(Pictures(f"Figure B.1, each class: {titles[name]}", [picture]))
    return sections


def table_4(classes: pd.DataFrame, datasets: Sequence[str], approach: str, title: str) -> Table:
    """Return precision and recall of each class under one approach.

    Args:
        classes: Columns `dataset`, `approach`, `class`, `metric`, `value`.
        datasets: Targets.
        approach: The approach.
        title: What it is called.
    """
    own = classes[classes["approach"] == approach]
    names = in_order(own["class"])
    found = rows_by(own, "dataset", "class", "metric")
    rows = []
    for dataset in datasets:
        for metric in ("precision", "recall"):
            keys = [(dataset, name, metric) for name in names]
            cells = [percent(found[key]["value"], 0) if key in found else "" for key in keys]
            rows.append((dataset, metric, *cells))
    return Table(
        f"Table 4, precision and recall of each class: {title}",
        ("Dataset", "", *names),
        rows,
        note="Limits are in classes.csv.",
    )


def _interval(row: Row) -> Interval:
    return Interval(row["value"], row["low"], row["high"])
