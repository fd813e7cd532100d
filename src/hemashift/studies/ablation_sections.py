"""What the ablation study shows: table 5 with its tests, a figure, and each dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hemashift.reports.figures import SCORE_NAMES
from hemashift.reports.frames import rows_by, rows_of
from hemashift.reports.parts import percent
from hemashift.reports.sections import Pictures, Section, Table
from hemashift.reports.study_figures_conditions import draw_conditions
from hemashift.studies.contract import Illustration
from hemashift.studies.pairing import BY_DATASET, BY_DRAW

METRICS = ("accuracy", "macro_precision", "macro_recall", "macro_f1")


def table_5(
    means: pd.DataFrame,
    tests: pd.DataFrame,
    conditions: Sequence[str],
    titles: Mapping[str, str],
) -> Table:
    """Return the scores averaged over datasets, and the tests of accuracy.

    Args:
        means: Columns `dataset`, `condition`, `metric`, `mean`; only datasets with all conditions.
        tests: Rows of `hemashift.studies.pairing.paired_tests`, with `family`.
        conditions: Conditions in order.
        titles: What they are called.
    """
    averages = means.groupby(["condition", "metric"])["mean"].mean().to_dict()
    rows = []
    for name in conditions:
        cells = [
            percent(averages[name, metric]) if (name, metric) in averages else ""
            for metric in METRICS
        ]
        rows.append((titles[name], *cells, *_p_values(tests, name)))
    columns = ("Condition", *(SCORE_NAMES[metric] for metric in METRICS), "p", "p, Holm")
    datasets = list(dict.fromkeys(means["dataset"]))
    return Table(
        "Table 5, average over datasets",
        columns,
        rows,
        note=f"Means over {len(datasets)} datasets ({', '.join(datasets) or 'none'}) of the means "
        "over draws. p: accuracy against the condition above for the numbered ones, against the "
        "last numbered one for the others; Wilcoxon's signed-rank test, a pair a dataset, raw and "
        "corrected for the number of comparisons. All tests stand below.",
    )


def _p_values(tests: pd.DataFrame, condition: str) -> tuple[str, str]:
    if tests.empty:
        return "", ""
    chosen = tests[
        (tests["second"] == condition)
        & (tests["metric"] == "accuracy")
        & (tests["pairing"] == BY_DATASET)
    ]
    if chosen.empty:
        return "", ""
    one = rows_of(chosen)[0]
    return _p(one["p"]), _p(one["p_holm"])


def condition_figure(
    means: pd.DataFrame, conditions: Sequence[str], titles: Mapping[str, str]
) -> Pictures:
    """Return the accuracy of each dataset under each condition; `means` as in `table_5`."""
    own = means[means["metric"] == "accuracy"].rename(columns={"mean": "value"})
    names = [titles[name] for name in conditions if name in set(own["condition"])]
    own = own.assign(condition=own["condition"].map(titles))
    figure = draw_conditions(own, names, "Accuracy")
    alt = "; ".join(
        f"{name}: {percent(own[own['condition'] == name]['value'].mean())}" for name in names
    )
    return Pictures(
        "Table 5 as a figure", [Illustration(figure, f"Mean accuracy. {alt}", name="ablation")]
    )


def table_of_tests(tests: pd.DataFrame, titles: Mapping[str, str]) -> list[Section]:
    """Return all tests with their pairing spelt out; nothing where there is none."""
    if tests.empty:
        return []
    rows = [
        (
            f"{titles[one['first']]} → {titles[one['second']]}",
            SCORE_NAMES[one["metric"]],
            one["pairing"],
            str(one["pairs"]),
            f"{100 * one['mean_difference']:+.1f}",
            _p(one["p"]),
            _p(one["p_holm"]),
            _p(one["least_p"]),
        )
        for one in rows_of(tests)
    ]
    columns = (
        "Comparison",
        "Score",
        "A pair is a",
        "Pairs",
        "Difference, points",
        "p",
        "p, Holm",
        "Least possible p",
    )
    note = (
        "Wilcoxon's signed-rank test, two-sided; pairs without difference are dropped. "
        f"A {BY_DATASET}: its mean over the draws under the one and the other condition. "
        f"A {BY_DRAW}: one draw of labels, with the same labelled and the same scored cells under "
        "both; draws of one dataset share cells, so that these p-values are too small. Holm: "
        "corrected together are the comparisons between successive conditions, and those of the "
        "further ones, of one score with one pairing."
    )
    return [Table("Tests between conditions", columns, rows, note=note)]


def appendix_c(means: pd.DataFrame, conditions: Sequence[str], titles: Mapping[str, str]) -> Table:
    """Return the scores of each dataset, mean and deviation over the draws.

    Args:
        means: Columns `dataset`, `condition`, `metric`, `mean`, `std`.
        conditions: Conditions in order.
        titles: What they are called.
    """
    found = rows_by(means, "dataset", "condition", "metric")
    rows = []
    for dataset in dict.fromkeys(means["dataset"]):
        for name in conditions:
            keys = [(dataset, name, metric) for metric in METRICS]
            if keys[0] in found:
                cells = [_spread(found[key]["mean"], found[key]["std"]) for key in keys]
                rows.append((dataset, titles[name], *cells))
    columns = ("Dataset", "Condition", *(SCORE_NAMES[metric] for metric in METRICS))
    return Table(
        "Table C.1, each dataset", columns, rows, note="Mean and deviation over the draws."
    )


def _spread(mean: float, deviation: float) -> str:
    return percent(mean) if np.isnan(deviation) else f"{percent(mean)} ± {100 * deviation:.1f}"


def _p(value: float) -> str:
    return "<0.0001" if value < 0.0001 else f"{value:.2g}"
