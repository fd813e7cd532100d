"""Limits of scores from those of the proportions that they are made of, without a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hemashift.evaluation.intervals import Interval, clopper_pearson, weighted_proportion
from hemashift.evaluation.metrics import FloatArray, IntArray

CLASS_SCORE_OF = {
    "balanced_accuracy": "recall",
    "macro_precision": "precision",
    "macro_recall": "recall",
    "macro_f1": "f1",
}
"""The score of a class that each overall score is the mean of."""


@dataclass(frozen=True, eq=False)
class Exact:
    """Exact limits; with groups, those of as many cells as the groups are worth.

    Attributes:
        y_true: Shape (N,), positions of the true classes.
        y_pred: Shape (N,), positions of the predicted classes.
        groups: N names, or None.
        confidence: Nominal coverage, in 0..1.
    """

    y_true: IntArray
    y_pred: IntArray
    groups: Sequence[str] | None
    confidence: float

    def of_class(self, name: str, k: int) -> Interval:
        """Return a score of `PER_CLASS` of class k."""
        true, called = self.y_true == k, self.y_pred == k
        if name == "recall":
            return self._share(true)
        if name == "precision":
            # Without a prediction there is no proportion, but the score is 0 by rule.
            share = self._share(called)
            return share if called.any() or not true.any() else replace(share, estimate=0.0)
        # F1 rises with the proportion of right cells among all that are or are called the
        # class, so the limits of that proportion carry over.
        share = self._share(true | called)
        estimate, low, high = (2 * s / (1 + s) for s in (share.estimate, share.low, share.high))
        return replace(share, estimate=estimate, low=low, high=high)

    def accuracy(self) -> Interval:
        """Return the share of right cells."""
        return self._share(np.ones(len(self.y_true), np.bool_))

    def macro(self, name: str, samples: FloatArray) -> Interval:
        """Return a mean over the classes that occur (Zou and Donner 2008, Stat Med 27:1693).

        Each limit lies as far from the mean as the distances of the classes' own limits come to
        when they are added like standard errors that correlate. So a class of three right cells
        keeps its uncertainty, and errors elsewhere do not hide it.

        Args:
            name: A score of `CLASS_SCORE_OF`.
            samples: Shape (draws, K), its class scores in bootstrap draws, which tell how the
                classes correlate.
        """
        present = np.unique(self.y_true)
        classes = [self.of_class(CLASS_SCORE_OF[name], int(k)) for k in present]
        estimate, low, high = np.array([(one.estimate, one.low, one.high) for one in classes]).T
        # A wrong cell enters the recall of one class and the precision of one, but the F1 of two;
        # cells of one patient may all be wrong together.
        unknown = 0.5 if name == "macro_f1" else 0.0
        if self.groups is not None:
            unknown = 1.0
        together = correlation(samples[:, present], unknown)
        below, above = (
            float(np.sqrt(gap @ together @ gap)) / len(present)
            for gap in (estimate - low, high - estimate)
        )
        mean = float(estimate.mean())
        return Interval(mean, mean - below, mean + above, self.confidence, "limits of the classes")

    def _share(self, among: NDArray[np.bool_]) -> Interval:
        """Return the share of right cells among some."""
        right = (self.y_true == self.y_pred)[among]
        groups = None if self.groups is None else np.asarray(self.groups, np.str_)[among]
        if groups is None or len(np.unique(groups)) == len(groups):
            return clopper_pearson(int(right.sum()), len(right), self.confidence)
        return weighted_proportion(right, np.ones(len(right)), groups, self.confidence)


def correlation(samples: FloatArray, unknown: float) -> FloatArray:
    """Return how the columns of bootstrap draws correlate, 0 to 1.

    Args:
        samples: Shape (draws, M); draws in which one is NaN are taken at its mean.
        unknown: Correlation of two different columns of which one never moves.

    Returns:
        Shape (M, M), with 1 on the diagonal.

    Examples:
        >>> correlation(np.array([[0.0, 0.0, 5.0], [1.0, 2.0, 5.0]]), 0.0).round(3).tolist()
        [[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    known = ~np.isnan(samples)
    means = np.where(known, samples, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    moved = np.where(known, samples - means, 0)
    size = np.sqrt((moved**2).sum(axis=0))
    moves = size > 1e-9
    scaled = moved / np.where(moves, size, 1)
    found: FloatArray = np.clip(scaled.T @ scaled, 0, 1)
    found[~moves] = unknown
    found[:, ~moves] = unknown
    np.fill_diagonal(found, 1)
    return found
