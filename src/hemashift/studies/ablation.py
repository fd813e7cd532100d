"""Study 4: what each step of the workflow contributes.

Tables 5 and C.1 of Chossegros et al. 2024: (1) no source training, (2) no fine-tuning, (3) only
the head is fine-tuned, (4) fine-tuned on target and source cells together, (5) without the colour
transform of the target's images, (6) the whole workflow; beside them, this project's own methods.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pandas as pd

from hemashift.reports.sections import Section
from hemashift.studies.ablation_sections import (
    METRICS,
    appendix_c,
    condition_figure,
    table_5,
    table_of_tests,
)
from hemashift.studies.contract import Drawn, Part, Result, Results
from hemashift.studies.counting import counted, in_order, scores_by_draw
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw
from hemashift.studies.every_draw import every_draw
from hemashift.studies.outcomes import outcome
from hemashift.studies.pairing import Comparison, paired_tests
from hemashift.studies.workspace import Workspace


class Ablation:
    """Tables 5 and C.1 of the paper."""

    name = "ablation"
    title = "Ablation"
    about = (
        "What each step contributes (table 5 of the paper; each dataset: table C.1). The "
        "conditions of the paper are numbered as there; those without a number are of this "
        "project. Every condition has the same labelled cells and is scored on the same others."
    )
    version = 2

    def parts(self, work: Workspace) -> Iterable[Part]:
        """One part a target, condition and draw of labels."""
        options = work.settings.study.ablation
        names = (*options.conditions, *options.further)
        return every_draw(work, names, options.draws, "condition", _made)

    def draw(self, results: Results, work: Workspace) -> Drawn:
        """Draw table 5 with its tests, a figure, and the table of each dataset."""
        counts = results.table("counts")
        if counts.empty:
            return Drawn([])
        options = work.settings.study.ablation
        conditions = (*options.conditions, *options.further)
        titles = {name: work.settings.approaches[name].title for name in conditions}
        scores = _scores(counts)
        means = _means(scores)
        whole = _complete(means, [name for name in conditions if name in set(means["condition"])])
        tests = _tests(scores, options.conditions, options.further)
        sections: list[Section] = [
            table_5(whole, tests, conditions, titles),
            condition_figure(whole, conditions, titles),
            *table_of_tests(tests, titles),
            appendix_c(means, conditions, titles),
        ]
        return Drawn(sections, {"scores": scores, "means": means, "table_5": whole, "tests": tests})


def _made(work: Workspace, name: str, dataset: Dataset, draw: Draw) -> Result:
    """Make the result of one target, condition and draw."""
    found = outcome(work, name, dataset, draw)
    counts = counted(found.evaluation())
    counts.insert(0, "dataset", dataset.name)
    counts.insert(1, "condition", name)
    counts.insert(2, "draw", draw.number + 1)
    counts = counts.assign(labels=found.labels, seconds=found.seconds)
    return Result({"counts": counts}, notes=found.notes)


def _scores(counts: pd.DataFrame) -> pd.DataFrame:
    """Return `dataset`, `condition`, `draw`, `metric`, `value`."""
    found = []
    for (dataset, condition), part in counts.groupby(["dataset", "condition"], sort=False):
        classes = in_order([*part["truth"], *part["predicted"]])
        scores = scores_by_draw(part, classes)
        scores.insert(0, "dataset", str(dataset))
        scores.insert(1, "condition", str(condition))
        found.append(scores)
    return pd.concat(found, ignore_index=True)


def _means(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over the draws, for each dataset and condition."""
    own = scores[scores["metric"].isin(METRICS)]
    grouped = own.groupby(["dataset", "condition", "metric"], sort=False)["value"]
    return grouped.agg(["mean", "std", "count"]).reset_index().rename(columns={"count": "draws"})


def _complete(means: pd.DataFrame, conditions: list[str]) -> pd.DataFrame:
    """Return the rows of datasets that have all conditions, so that averages are of the same."""
    found = means.groupby("dataset")["condition"].agg(set)
    whole = [name for name, present in found.items() if present >= set(conditions)]
    return means[means["dataset"].isin(whole)].reset_index(drop=True)


def _tests(
    scores: pd.DataFrame, conditions: tuple[str, ...], further: tuple[str, ...]
) -> pd.DataFrame:
    """Test successive conditions against each other, and the others against the last."""
    successive: list[Comparison] = list(pairwise(conditions))
    beside: list[Comparison] = [(conditions[-1], name) for name in further] if conditions else []
    found = []
    for metric in METRICS:
        for family, comparisons in (("successive", successive), ("further", beside)):
            tested = paired_tests(scores, comparisons, metric)
            if len(tested):
                tested.insert(0, "family", family)
                found.append(tested)
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
