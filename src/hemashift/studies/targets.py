"""Study 3: a model is adapted to each target with few labels, and tested on the rest.

Figures 6, 7 and B.1 and tables 3 and 4 of Chossegros et al. 2024.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from hemashift.evaluation import Evaluation, Interval
from hemashift.evaluation.curves import average_curve
from hemashift.reports.sections import Section
from hemashift.studies.contract import Drawn, Part, Result, Results
from hemashift.studies.counting import counted, in_order, scores_over_draws
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.every_draw import every_draw
from hemashift.studies.outcomes import outcome
from hemashift.studies.target_sections import (
    AVERAGE,
    accuracy_figure,
    accuracy_table,
    average_curves,
    class_curves,
    table_3,
    table_4,
)
from hemashift.studies.workspace import Workspace

_POINTS = 101  # recalls at which curves are kept


class Targets:
    """Figures 6, 7 and B.1 and tables 3 and 4 of the paper."""

    name = "targets"
    title = "Targets"
    about = (
        "A model is adapted to each target with few labelled cells and tested on the others: "
        "accuracy (figure 6 of the paper), precision-recall curves averaged over classes (figure "
        "7) and of each class (figure B.1), number of labels (table 3), precision and recall of "
        "each class (table 4)."
    )
    version = 2

    def parts(self, work: Workspace) -> Iterable[Part]:
        """One part a target, approach and draw of labels."""
        options = work.settings.study.targets
        return every_draw(work, options.approaches, options.draws, "approach", _made)

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw figures and tables, averaged over the draws of labels."""
        counts, runs = results.table("counts"), results.table("runs")
        if counts.empty:
            return Drawn([])
        titles = _titles(work)
        tables = _summaries(counts, work.settings.bootstrap, work.settings.seed)
        curves, areas = (_mean_over_draws(results.table(name)) for name in ("curves", "areas"))
        datasets = list(dict.fromkeys(counts["dataset"]))
        approaches = [name for name in titles if name in set(counts["approach"])]
        sections: list[Section] = [
            table_3(runs, datasets),
            accuracy_figure(tables["scores"], runs, datasets, approaches, titles),
            accuracy_table(tables["scores"], datasets, approaches, titles),
            average_curves(curves, areas, datasets, approaches, titles),
            *class_curves(curves, areas, datasets, approaches, titles),
            *(table_4(tables["classes"], datasets, name, titles[name]) for name in approaches),
        ]
        return Drawn(sections, {**tables, "mean_areas": areas})


def _made(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> Result:
    """Make the result of one target, approach and draw."""
    found = outcome(work, name, dataset, draw)
    evaluation = found.evaluation()
    curves, areas = _curves(evaluation)
    run = pd.DataFrame(
        [{"labels": found.labels, "scored": len(evaluation), "seconds": found.seconds}]
    )
    about: dict[str, Any] = {"dataset": dataset.name, "approach": name, "draw": draw.number + 1}
    tables = {"counts": counted(evaluation), "curves": curves, "areas": areas, "runs": run}
    return Result(
        {title: _beside(about, table) for title, table in tables.items()}, notes=found.notes
    )


def _beside(about: dict[str, Any], table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with columns that say what it is about, before its own."""
    return pd.concat([pd.DataFrame(about, index=table.index), table], axis=1)


def _curves(evaluation: Evaluation) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the precision-recall curves at evenly spaced recalls, and their areas."""
    named = dict(zip(evaluation.classes, evaluation.precision_recall, strict=True))
    drawn = {
        name: average_curve((curve,), _POINTS) for name, curve in named.items() if curve.recall.size
    }
    drawn[AVERAGE] = average_curve(tuple(named.values()), _POINTS)
    frames = [
        pd.DataFrame({"class": name, "recall": curve.recall, "precision": curve.precision})
        for name, curve in drawn.items()
    ]
    areas = {"class": list(drawn), "area": [curve.area for curve in drawn.values()]}
    return pd.concat(frames, ignore_index=True), pd.DataFrame(areas)


def _titles(work: Workspace) -> dict[str, str]:
    options, approaches = work.settings.study.targets, work.settings.approaches
    return {name: approaches[name].title for name in options.approaches}


def _mean_over_draws(table: pd.DataFrame) -> pd.DataFrame:
    """Return areas, or precision at each recall, as means over the draws."""
    values = [name for name in ("precision", "area") if name in table]
    keys = [name for name in table if name not in ("draw", *values)]
    return table.groupby(keys, sort=False, as_index=False)[values].mean()


def _summaries(counts: pd.DataFrame, bootstrap: int, seed: int) -> dict[str, pd.DataFrame]:
    """Return overall scores and scores of each class with limits, over the draws of labels."""
    overall, by_class = [], []
    for (dataset, approach), part in counts.groupby(["dataset", "approach"], sort=False):
        classes = in_order([*part["truth"], *part["predicted"]])
        scores, of_classes = scores_over_draws(part, classes, bootstrap=bootstrap, seed=seed)
        about = {"dataset": dataset, "approach": approach}
        overall += [{**about, "metric": name, **_limits(one)} for name, one in scores.items()]
        support = part.groupby("truth")["cells"].sum() / part["draw"].nunique()
        by_class += [
            {
                **about,
                "class": name,
                "cells": float(support.get(name, 0.0)),
                "metric": metric,
                **_limits(one),
            }
            for name in classes
            for metric, one in of_classes[name].items()
        ]
    return {"scores": pd.DataFrame(overall), "classes": pd.DataFrame(by_class)}


def _limits(one: Interval) -> dict[str, float | str]:
    return {"value": one.estimate, "low": one.low, "high": one.high, "limits": one.method}
