"""Every score of a confusion matrix with its confidence limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_confusions
from hemashift.evaluation.intervals import (
    Interval,
    clopper_pearson,
    percentile_interval,
    weighted_proportion,
)
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
    place there, with groups those of `weighted_proportion`, and the `method` of the interval
    says so.

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
    exact = _Exact(np.asarray(y_true), np.asarray(y_pred), groups, confidence)
    by_class: list[dict[str, Interval]] = [{} for _ in range(n_classes)]
    for name, score in PER_CLASS.items():
        estimates, samples = score(confusion), score(drawn)
        if name == "precision":
            # A draw in which nothing was called so says nothing about those that are.
            samples = np.where(drawn.sum(axis=1) > 0, samples, np.nan)
        for k in range(n_classes):
            interval = percentile_interval(estimates[k], samples[:, k], confidence, method)
            if _has_no_width(interval):
                interval = exact.of_class(name, k)
            by_class[k][name] = interval
    overall: dict[str, Interval] = {}
    for name, score in OVERALL.items():
        interval = percentile_interval(float(score(confusion)), score(drawn), confidence, method)
        if _has_no_width(interval):
            interval = exact.overall(name, interval.estimate)
        overall[name] = interval
    return overall, by_class


def _has_no_width(interval: Interval) -> bool:
    undefined_in_all_draws = np.isnan(interval.low) and not np.isnan(interval.estimate)
    return bool(interval.low == interval.high or undefined_in_all_draws)


@dataclass(frozen=True, eq=False)
class _Exact:
    """Limits without a bootstrap; with groups, those of as many cells as the groups are worth."""

    y_true: IntArray
    y_pred: IntArray
    groups: Sequence[str] | None
    confidence: float

    def of_class(self, name: str, k: int) -> Interval:
        true, called = self.y_true == k, self.y_pred == k
        if name == "recall":
            return self._share(true)
        if name == "precision":
            # Without a prediction there is no proportion, but the score is 0 by rule.
            share = self._share(called)
            return share if called.any() else replace(share, estimate=0.0)
        # F1 rises with the proportion of right cells among all that are or are called the
        # class, so the limits of that proportion carry over.
        share = self._share(true | called)
        low, high = (2 * limit / (1 + limit) for limit in (share.low, share.high))
        estimate = 2 * int((true & called).sum()) / int(true.sum() + called.sum())
        return replace(share, estimate=estimate, low=low, high=high)

    def overall(self, name: str, estimate: float) -> Interval:
        if name == "accuracy":
            return self._share(np.ones(len(self.y_true), np.bool_))
        kind = {"macro_precision": "precision", "macro_f1": "f1"}.get(name, "recall")
        classes = [self.of_class(kind, int(k)) for k in np.unique(self.y_true)]
        return Interval(
            estimate,
            float(np.mean([one.low for one in classes])),
            float(np.mean([one.high for one in classes])),
            self.confidence,
            "mean of Clopper-Pearson limits",
        )

    def _share(self, among: NDArray[np.bool_]) -> Interval:
        """Return the share of right cells among some."""
        right = (self.y_true == self.y_pred)[among]
        groups = None if self.groups is None else np.asarray(self.groups, np.str_)[among]
        if groups is None or len(np.unique(groups)) == len(groups):
            return clopper_pearson(int(right.sum()), len(right), self.confidence)
        return weighted_proportion(right, np.ones(len(right)), groups, self.confidence)
