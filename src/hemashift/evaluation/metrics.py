"""Counting right and wrong: the confusion matrix and everything that follows from it.

Every score is a function of a confusion matrix whose rows are the truth and whose
columns are the predictions. The functions take one matrix of shape (K, K) or a stack
of them (..., K, K), so that a bootstrap over thousands of draws is one call.

One rule holds for classes that do not occur in the truth: their recall is not defined
(NaN) and macro averages leave them out, yet a cell wrongly called such a class still
counts as an error of its true class. A class that does occur but is never predicted
has precision 0, not an undefined one: losing a class must not raise the average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

UNLISTED = -1
"""Code of a label that is not in the class list."""


def encode_labels(labels: Sequence[str | None], classes: Sequence[str]) -> IntArray:
    """Turn labels into positions in the class list.

    Args:
        labels: N labels; None stands for no label.
        classes: The class list, without duplicates.

    Returns:
        Shape (N,): the position of each label, `UNLISTED` (-1) where it is not in the list.

    Examples:
        >>> encode_labels(["monocyte", "artefact"], ["lymphocyte", "monocyte"])
        array([ 1, -1])
    """
    positions = {name: position for position, name in enumerate(classes)}
    if len(positions) != len(classes):
        raise ValueError(f"a class occurs twice in {list(classes)}")
    codes = [UNLISTED if label is None else positions.get(label, UNLISTED) for label in labels]
    return np.asarray(codes, dtype=np.int64)


def confusion_matrix(y_true: ArrayLike, y_pred: ArrayLike, n_classes: int) -> IntArray:
    """Count how often each true class was called each class.

    Args:
        y_true: Shape (N,), positions 0..K-1 of the true classes.
        y_pred: Shape (N,), positions of the predicted classes.
        n_classes: K.

    Returns:
        Shape (K, K): row = truth, column = prediction.

    Raises:
        ValueError: If the lengths differ or a position lies outside 0..K-1. Cells whose
            truth is outside the class list must be set aside first, and counted.

    Examples:
        >>> confusion_matrix([0, 0, 1], [0, 1, 1], 2)
        array([[1, 1],
               [0, 1]])
    """
    true, predicted = _as_codes(y_true, n_classes), _as_codes(y_pred, n_classes)
    if true.shape != predicted.shape:
        raise ValueError(f"{true.size} true labels but {predicted.size} predictions")
    counts = np.bincount(true * n_classes + predicted, minlength=n_classes * n_classes)
    return counts.reshape(n_classes, n_classes).astype(np.int64)


def support(confusion: ArrayLike) -> FloatArray:
    """Return how many cells truly belong to each class, shape (..., K)."""
    counts: FloatArray = _as_stack(confusion).sum(axis=-1)
    return counts


def accuracy(confusion: ArrayLike) -> FloatArray:
    """Return the fraction of cells called their true class, shape (...); NaN without cells.

    Examples:
        >>> float(accuracy([[3, 1], [0, 4]]))
        0.875
    """
    matrix = _as_stack(confusion)
    return _divide(np.trace(matrix, axis1=-2, axis2=-1), matrix.sum(axis=(-2, -1)), np.nan)


def recall(confusion: ArrayLike) -> FloatArray:
    """Return, a class, the fraction of its cells that were found: (..., K) in 0..1.

    NaN where the class does not occur in the truth.
    """
    matrix = _as_stack(confusion)
    return _divide(_diagonal(matrix), matrix.sum(axis=-1), np.nan)


def precision(confusion: ArrayLike) -> FloatArray:
    """Return, a class, the fraction of the cells called so that are so: (..., K) in 0..1.

    0 where the class occurs but is never predicted; NaN where it neither occurs nor is
    predicted.

    Examples:
        >>> precision([[3, 1, 0], [0, 4, 0], [0, 0, 0]])
        array([1. , 0.8, nan])
    """
    matrix = _as_stack(confusion)
    scores = _divide(_diagonal(matrix), matrix.sum(axis=-2), 0.0)
    return _undefined_where_unseen(scores, matrix)


def f1(confusion: ArrayLike) -> FloatArray:
    """Return the harmonic mean of precision and recall a class: (..., K) in 0..1.

    NaN where the class neither occurs nor is predicted.
    """
    matrix = _as_stack(confusion)
    scores = _divide(2 * _diagonal(matrix), matrix.sum(axis=-1) + matrix.sum(axis=-2), 0.0)
    return _undefined_where_unseen(scores, matrix)


def macro_precision(confusion: ArrayLike) -> FloatArray:
    """Return the mean precision over the classes that occur in the truth, shape (...)."""
    return _macro(precision(confusion), confusion)


def macro_recall(confusion: ArrayLike) -> FloatArray:
    """Return the mean recall over the classes that occur in the truth, shape (...).

    Examples:
        >>> float(macro_recall([[3, 1, 0], [0, 4, 0], [0, 0, 0]]))
        0.875
    """
    return _macro(recall(confusion), confusion)


def macro_f1(confusion: ArrayLike) -> FloatArray:
    """Return the mean F1 over the classes that occur in the truth, shape (...)."""
    return _macro(f1(confusion), confusion)


def balanced_accuracy(confusion: ArrayLike) -> FloatArray:
    """Return the balanced accuracy, which is the macro recall under another name."""
    return macro_recall(confusion)


OVERALL: dict[str, Callable[[ArrayLike], FloatArray]] = {
    "accuracy": accuracy,
    "balanced_accuracy": balanced_accuracy,
    "macro_precision": macro_precision,
    "macro_recall": macro_recall,
    "macro_f1": macro_f1,
}
"""The scores with one value an evaluation."""

PER_CLASS: dict[str, Callable[[ArrayLike], FloatArray]] = {
    "precision": precision,
    "recall": recall,
    "f1": f1,
}
"""The scores with one value a class."""


def _as_codes(values: ArrayLike, n_classes: int) -> IntArray:
    codes = np.asarray(values)
    if codes.size == 0:
        codes = codes.astype(np.int64)
    if codes.ndim != 1 or not np.issubdtype(codes.dtype, np.integer):
        raise ValueError("class positions must be one row of integers")
    if codes.size and (codes.min() < 0 or codes.max() >= n_classes):
        raise ValueError(
            f"class positions must lie in 0..{n_classes - 1}, found {codes.min()}..{codes.max()}"
        )
    return codes.astype(np.int64)


def _as_stack(confusion: ArrayLike) -> FloatArray:
    matrix = np.asarray(confusion, dtype=np.float64)
    if matrix.ndim < 2 or matrix.shape[-1] != matrix.shape[-2]:
        raise ValueError(f"a confusion matrix has shape (..., K, K), found {matrix.shape}")
    return matrix


def _diagonal(matrix: FloatArray) -> FloatArray:
    return np.diagonal(matrix, axis1=-2, axis2=-1)


def _divide(part: FloatArray, whole: FloatArray, otherwise: float) -> FloatArray:
    filled = np.full(np.shape(whole), otherwise, dtype=np.float64)
    return np.divide(part, whole, out=filled, where=np.asarray(whole) > 0)


def _undefined_where_unseen(scores: FloatArray, matrix: FloatArray) -> FloatArray:
    return np.where(matrix.sum(axis=-1) + matrix.sum(axis=-2) > 0, scores, np.nan)


def _macro(scores: FloatArray, confusion: ArrayLike) -> FloatArray:
    present = support(confusion) > 0
    total = np.where(present, scores, 0.0).sum(axis=-1)
    return _divide(total, present.sum(axis=-1).astype(np.float64), np.nan)
