"""The bootstrap, on counts.

Cells are never resampled one by one. A resampled set of cells matters only through its
confusion matrix, and the confusion matrix of N cells drawn with replacement is one
multinomial draw: a stack of 2000 takes milliseconds, whatever N is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hemashift.evaluation.metrics import IntArray, confusion_matrix

Scheme = Literal["plain", "stratified"]

_NUMBERS_A_CHUNK = 2_000_000


def bootstrap_confusions(
    confusion: ArrayLike, *, draws: int = 2000, seed: int = 0, scheme: Scheme = "plain"
) -> IntArray:
    """Draw the confusion matrices of resampled cells.

    Args:
        confusion: Shape (K, ...) counts: a confusion matrix, or one with further axes
            (truth, first model, second model) for paired comparisons.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.
        scheme: "plain" draws N cells from all cells; "stratified" draws within each true
            class (first axis), so that every draw has the class counts of the original.

    Returns:
        Shape (draws, K, ...).

    Raises:
        ValueError: If there is no cell to draw from.

    Examples:
        >>> drawn = bootstrap_confusions([[8, 2], [1, 9]], draws=100, scheme="stratified")
        >>> drawn.shape, bool((drawn.sum(axis=2) == 10).all())
        ((100, 2, 2), True)
    """
    counts = np.asarray(confusion, dtype=np.int64)
    if counts.sum() == 0:
        raise ValueError("the bootstrap needs at least one cell")
    rng = np.random.default_rng(seed)
    strata = counts.reshape(1 if scheme == "plain" else counts.shape[0], -1)
    drawn = np.zeros((draws, *strata.shape), dtype=np.int64)
    for position, row in enumerate(strata):
        if row.sum():
            drawn[:, position] = rng.multinomial(row.sum(), row / row.sum(), size=draws)
    return drawn.reshape(draws, *counts.shape)


def bootstrap_grouped_confusions(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    groups: Sequence[str],
    n_classes: int,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> IntArray:
    """Draw the confusion matrices of resampled groups (patients, smears).

    Cells of one patient resemble each other, so the spread between patients, not between
    cells, decides how sure a score is. Whole groups are drawn with replacement.

    Args:
        y_true: Shape (N,), positions of the true classes.
        y_pred: Shape (N,), positions of the predicted classes.
        groups: N names.
        n_classes: K.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.

    Returns:
        Shape (draws, K, K).

    Examples:
        >>> bootstrap_grouped_confusions([0, 1], [0, 1], ["a", "b"], 2, draws=5).shape
        (5, 2, 2)
    """
    confusion_matrix(y_true, y_pred, n_classes)  # checks the positions
    outcomes = np.asarray(y_true, np.int64) * n_classes + np.asarray(y_pred, np.int64)
    counts = bootstrap_grouped_counts(outcomes, groups, n_classes**2, draws=draws, seed=seed)
    return counts.reshape(draws, n_classes, n_classes)


def bootstrap_grouped_counts(
    outcomes: ArrayLike,
    groups: Sequence[str],
    n_outcomes: int,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> IntArray:
    """Draw whole groups of cells and count the outcomes among them.

    Args:
        outcomes: Shape (N,), what happened to each cell, 0..M-1.
        groups: N names.
        n_outcomes: M.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.

    Returns:
        Shape (draws, M).

    Raises:
        ValueError: If there is no cell, or not one group a cell.
    """
    happened = np.asarray(outcomes, dtype=np.int64)
    _, member = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if happened.size == 0 or member.size != happened.size:
        raise ValueError(f"{happened.size} cells but {member.size} groups")
    n_groups = int(member.max()) + 1
    by_group = np.zeros((n_groups, n_outcomes))
    np.add.at(by_group, (member, happened), 1)
    rng = np.random.default_rng(seed)
    chances = np.full(n_groups, 1 / n_groups)
    chunk = max(1, _NUMBERS_A_CHUNK // n_groups)
    drawn = [
        # Floats, because matrix products of integers do not use the fast library.
        rng.multinomial(n_groups, chances, size=min(chunk, draws - start)).astype(np.float64)
        @ by_group
        for start in range(0, draws, chunk)
    ]
    return np.rint(np.concatenate(drawn)).astype(np.int64)
