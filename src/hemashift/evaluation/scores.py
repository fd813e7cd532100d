"""Every score of a confusion matrix with its confidence limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_confusions
from hemashift.evaluation.intervals import Interval, clopper_pearson, percentile_interval
from hemashift.evaluation.metrics import OVERALL, PER_CLASS, IntArray, confusion_matrix


@dataclass(frozen=True)
class ClassScores:
    """How one class was recognised.

    Attributes:
        name: The class.
        support: Cells that truly belong to it.
        predicted: Cells that were called so.
        precision: With limits; see `hemashift.evaluation.metrics` for missing classes.
        recall: With limits.
        f1: With limits.
        average_precision: Area under its precision-recall curve; NaN if it does not occur.
        roc_auc: Area under its ROC curve; NaN if it, or everything else, does not occur.
    """

    name: str
    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: float
    roc_auc: float


def score_intervals(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    n_classes: int,
    *,
    groups: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[dict[str, Interval], list[dict[str, Interval]]]:
    """Return the overall scores and those of each class, with limits.

    The limits are bootstrap percentiles. Where every cell is right (or wrong), all draws
    agree and the bootstrap would claim certainty; exact limits (Clopper-Pearson) take its
    place there, and the `method` of the interval says so.

    Args:
        y_true: Shape (N,), positions of the true classes.
        y_pred: Shape (N,), positions of the predicted classes.
        n_classes: K.
        groups: N names; when given, whole groups are drawn.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.
        confidence: Nominal coverage, in 0..1.

    Returns:
        The scores of `OVERALL` by name, and K times the scores of `PER_CLASS` by name.

    Examples:
        >>> overall, by_class = score_intervals([0] * 50 + [1] * 50, [0] * 60 + [1] * 40, 2)
        >>> print(overall["accuracy"], "|", by_class[1]["precision"])
        0.900 (0.840 to 0.950) | 1.000 (0.912 to 1.000)
    """
    confusion = confusion_matrix(y_true, y_pred, n_classes)
    if groups is None:
        method = "bootstrap"
        drawn = bootstrap_confusions(confusion, draws=draws, seed=seed)
    else:
        method = "bootstrap over groups"
        drawn = bootstrap_grouped_confusions(
            y_true, y_pred, groups, n_classes, draws=draws, seed=seed
        )
    by_class: list[dict[str, Interval]] = [{} for _ in range(n_classes)]
    for name, score in PER_CLASS.items():
        estimates, samples = score(confusion), score(drawn)
        if name == "precision":
            # A draw in which nothing was called so says nothing about those that are.
            samples = np.where(drawn.sum(axis=1) > 0, samples, np.nan)
        for k in range(n_classes):
            interval = percentile_interval(estimates[k], samples[:, k], confidence, method)
            if _has_no_width(interval):
                interval = _exact_class_score(name, confusion, k, confidence)
            by_class[k][name] = interval
    overall: dict[str, Interval] = {}
    for name, score in OVERALL.items():
        interval = percentile_interval(float(score(confusion)), score(drawn), confidence, method)
        if _has_no_width(interval):
            interval = _exact_overall_score(name, confusion, interval)
        overall[name] = interval
    return overall, by_class


def _has_no_width(interval: Interval) -> bool:
    undefined_in_all_draws = np.isnan(interval.low) and not np.isnan(interval.estimate)
    return bool(interval.low == interval.high or undefined_in_all_draws)


def _exact_class_score(name: str, confusion: IntArray, k: int, confidence: float) -> Interval:
    right = int(confusion[k, k])
    true, called = int(confusion[k].sum()), int(confusion[:, k].sum())
    if name == "recall":
        return clopper_pearson(right, true, confidence)
    if name == "precision":
        # Without a prediction there is no proportion, but the score is 0 by rule.
        exact = clopper_pearson(right, called, confidence)
        return exact if called else Interval(0.0, 0.0, 1.0, confidence, exact.method)
    # F1 rises with the proportion of right cells among all that are or are called the
    # class, so the limits of that proportion carry over.
    share = clopper_pearson(right, true + called - right, confidence)
    low, high = (2 * limit / (1 + limit) for limit in (share.low, share.high))
    return Interval(2 * right / (true + called), low, high, confidence, share.method)


def _exact_overall_score(name: str, confusion: IntArray, interval: Interval) -> Interval:
    confidence = interval.confidence
    if name == "accuracy":
        right, n = int(np.trace(confusion)), int(confusion.sum())
        return clopper_pearson(right, n, confidence)
    kind = {"macro_precision": "precision", "macro_f1": "f1"}.get(name, "recall")
    present = np.flatnonzero(confusion.sum(axis=1))
    classes = [_exact_class_score(kind, confusion, int(k), confidence) for k in present]
    return Interval(
        interval.estimate,
        float(np.mean([one.low for one in classes])),
        float(np.mean([one.high for one in classes])),
        confidence,
        "mean of Clopper-Pearson limits",
    )
