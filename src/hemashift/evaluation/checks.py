"""Refusing probabilities that are none."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from hemashift.errors import TableError
from hemashift.evaluation.metrics import FloatArray

SUM_TOLERANCE = 2e-3
"""How far the probabilities of a cell may be from summing to 1; tables are often rounded."""


def check_probabilities(probabilities: ArrayLike, n_classes: int) -> FloatArray:
    """Return probabilities as floats, shape (N, K), or say which cell is wrong.

    What is above 1 by rounding is set to 1; nothing else is changed.

    Raises:
        TableError: If there is no cell, the shape is not (N, K), or a row is no distribution.
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] != n_classes:
        raise TableError(
            "the probabilities do not fit the classes",
            expected=f"{n_classes} probabilities a cell",
            found=f"an array of shape {scores.shape}",
        )
    if len(scores) == 0:
        raise TableError(
            "there is no cell to evaluate", hint="give predictions for cells with a known class"
        )
    with np.errstate(invalid="ignore"):
        inside = ((scores >= 0) & (scores <= 1 + SUM_TOLERANCE)).all(axis=1)
        bad = ~inside | ~(np.abs(scores.sum(axis=1) - 1) <= SUM_TOLERANCE)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        raise TableError(
            f"the probabilities of {int(bad.sum())} cells are not a distribution",
            expected="numbers in 0..1 that sum to 1",
            found=" ".join(f"{value:.4g}" for value in scores[row]),
            where=f"cell {row + 1}",
            hint="write the predictions with all classes, not rounded",
        )
    return np.minimum(scores, 1.0)
