"""Scores of samples as tidy rows, and their mean and spread over draws."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hemashift.evaluation.intervals import t_interval
from hemashift.evaluation.metrics import (
    OVERALL,
    PER_CLASS,
    confusion_matrix,
    encode_labels,
    support,
)
from hemashift.studies.outcomes import Outcome

ALL = "all"
"""In the column `class`: a score of all classes together."""

_OVERALL = ("accuracy", "macro_f1", "balanced_accuracy")
_PER_CLASS = ("precision", "recall")
_SAMPLE = ["dataset", "approach", "sampling", "labels"]


def score_rows(outcome: Outcome) -> pd.DataFrame:
    """Return the scores of an outcome, one a row: `metric`, `class`, `value`.

    Classes without a scored cell have no row.
    """
    classes = outcome.classes
    confusion = confusion_matrix(
        encode_labels(outcome.predictions["truth"].tolist(), classes),
        encode_labels(outcome.predictions["predicted"].tolist(), classes),
        len(classes),
    )
    rows = [(name, ALL, float(OVERALL[name](confusion))) for name in _OVERALL]
    for name in _PER_CLASS:
        values = PER_CLASS[name](confusion)
        rows += [(name, classes[k], float(values[k])) for k in np.flatnonzero(support(confusion))]
    return pd.DataFrame(rows, columns=["metric", "class", "value"])


def summary_of(scores: pd.DataFrame) -> pd.DataFrame:
    """Return mean, deviation and 95 % t-limits of every score over the draws.

    Args:
        scores: Rows with `dataset`, `approach`, `sampling`, `labels`, `metric`, `class`, `draw`
            and `value`.

    Returns:
        One row a score, with `draws`, `mean`, `sd`, `low` and `high`; the last three are NaN
        for a single draw.
    """
    rows = []
    for key, part in scores.groupby([*_SAMPLE, "metric", "class"], sort=True):
        values = part["value"].to_numpy(dtype=np.float64)
        limits = t_interval(values)
        spread = float(values.std(ddof=1)) if len(values) > 1 else float("nan")
        rows.append((*key, len(values), limits.estimate, spread, limits.low, limits.high))
    measures = ["draws", "mean", "sd", "low", "high"]
    return pd.DataFrame(rows, columns=[*_SAMPLE, "metric", "class", *measures])


def looked_at_summary(samples: pd.DataFrame) -> pd.DataFrame:
    """Return how many cells are looked at for a balanced sample, over the draws.

    Args:
        samples: Rows with `dataset`, `sampling`, `labels`, `draw`, `looked_at` and `offered`.

    Returns:
        One row a dataset and size: `mean`, `least` and `most` cells looked at, and `offered`,
        the cells that there are to look at.
    """
    balanced = samples[samples["sampling"] == "balanced"].drop_duplicates(
        ["dataset", "labels", "draw"]  # the same for every approach
    )
    found = balanced.groupby(["dataset", "labels"], as_index=False).agg(
        draws=("draw", "size"),
        mean=("looked_at", "mean"),
        least=("looked_at", "min"),
        most=("looked_at", "max"),
        offered=("offered", "mean"),
    )
    return found
