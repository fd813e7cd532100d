"""Precision-recall and ROC: what a threshold on the probability would give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from hemashift.evaluation.metrics import FloatArray, IntArray


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """One precision-recall curve.

    Attributes:
        recall: Shape (P,), rising in 0..1.
        precision: Shape (P,): the precision reached at that recall, in 0..1.
        area: Average precision, the area under the steps of the curve, in 0..1.
    """

    recall: FloatArray
    precision: FloatArray
    area: float


def precision_recall(is_class: ArrayLike, scores: ArrayLike) -> PrecisionRecallCurve:
    """Return the precision-recall curve of one class against the rest.

    Args:
        is_class: Shape (N,), whether the cell truly belongs to the class.
        scores: Shape (N,), the probability given to the class.

    Returns:
        The curve; empty, with area NaN, where no cell belongs to the class.

    Examples:
        >>> precision_recall([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1]).area
        0.8333333333333333
    """
    truth = np.asarray(is_class, dtype=bool)
    if not truth.any():
        return PrecisionRecallCurve(np.empty(0), np.empty(0), np.nan)
    precision, recall, _ = precision_recall_curve(truth, np.asarray(scores, dtype=np.float64))
    area = float(average_precision_score(truth, np.asarray(scores, dtype=np.float64)))
    return PrecisionRecallCurve(recall[::-1].copy(), precision[::-1].copy(), area)


def precision_recall_by_class(
    y_true: ArrayLike, probabilities: ArrayLike
) -> tuple[PrecisionRecallCurve, ...]:
    """Return one curve a class, each class against the rest.

    Args:
        y_true: Shape (N,), positions of the true classes.
        probabilities: Shape (N, K), rows summing to 1.

    Returns:
        K curves in class order.
    """
    truth, scores = _as_truth_and_scores(y_true, probabilities)
    return tuple(
        precision_recall(truth == position, scores[:, position])
        for position in range(scores.shape[1])
    )


def average_curve(
    curves: tuple[PrecisionRecallCurve, ...], points: int = 201
) -> PrecisionRecallCurve:
    """Average curves over classes: at each recall the mean of the classes' precisions.

    This is the averaged curve of figure 7 of Chossegros et al. 2024. Curves of classes
    that do not occur are left out. Between two points a curve keeps the precision of the
    next higher recall, which is the step rule of the average precision; the area of the
    average is therefore the mean of the areas.

    Args:
        curves: One curve a class.
        points: Number of evenly spaced recalls, at least 2.

    Examples:
        >>> one = precision_recall([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1])
        >>> average_curve((one, one), points=3).precision.round(3).tolist()
        [1.0, 1.0, 0.667]
    """
    defined = [curve for curve in curves if curve.recall.size]
    if not defined:
        return PrecisionRecallCurve(np.empty(0), np.empty(0), np.nan)
    grid = np.linspace(0, 1, points)
    rows = [_at_recall(curve, grid) for curve in defined]
    area = float(np.mean([curve.area for curve in defined]))
    return PrecisionRecallCurve(grid, np.mean(rows, axis=0), area)


def thin(curve: PrecisionRecallCurve, points: int = 201) -> PrecisionRecallCurve:
    """Return the curve at evenly spaced recalls, for drawing and storing."""
    if curve.recall.size <= points:
        return curve
    grid = np.linspace(0, 1, points)
    return PrecisionRecallCurve(grid, _at_recall(curve, grid), curve.area)


def roc_auc_by_class(y_true: ArrayLike, probabilities: ArrayLike) -> FloatArray:
    """Return the area under the ROC curve of each class against the rest.

    Args:
        y_true: Shape (N,), positions of the true classes.
        probabilities: Shape (N, K).

    Returns:
        Shape (K,) in 0..1; NaN where the class, or everything but it, is missing.

    Examples:
        >>> roc_auc_by_class([0, 1], [[0.8, 0.2, 0.0], [0.3, 0.7, 0.0]])
        array([ 1.,  1., nan])
    """
    truth, scores = _as_truth_and_scores(y_true, probabilities)
    areas = np.full(scores.shape[1], np.nan)
    for position in range(scores.shape[1]):
        is_class = truth == position
        if is_class.any() and not is_class.all():
            areas[position] = roc_auc_score(is_class, scores[:, position])
    return areas


def _at_recall(curve: PrecisionRecallCurve, grid: FloatArray) -> FloatArray:
    # Several thresholds can share a recall; the best precision among them is the one to use.
    distinct, first = np.unique(curve.recall, return_index=True)
    best = np.maximum.reduceat(curve.precision, first)
    positions = np.searchsorted(distinct, grid - 1e-12, side="left")
    return best[np.minimum(positions, distinct.size - 1)]


def _as_truth_and_scores(
    y_true: ArrayLike, probabilities: ArrayLike
) -> tuple[IntArray, FloatArray]:
    truth = np.asarray(y_true, dtype=np.int64)
    scores = np.asarray(probabilities, dtype=np.float64)
    if scores.ndim != 2 or truth.shape != scores.shape[:1]:
        raise ValueError(f"{truth.shape} labels do not fit {scores.shape} probabilities")
    return truth, scores
