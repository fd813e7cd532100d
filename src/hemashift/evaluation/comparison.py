"""Whether one method is better than another, or only luckier."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_counts
from hemashift.evaluation.intervals import Interval, percentile_interval
from hemashift.evaluation.metrics import FloatArray, confusion_matrix


@dataclass(frozen=True)
class TestResult:
    """The outcome of a paired significance test.

    Attributes:
        statistic: The test statistic.
        p_value: Two-sided unless asked otherwise, in 0..1.
        n: Pairs that carried information.
        test: Name of the test.
    """

    __test__ = False  # not a test case, whatever its name looks like

    statistic: float
    p_value: float
    n: int
    test: str


def wilcoxon(before: ArrayLike, after: ArrayLike) -> TestResult:
    """Test whether paired scores differ (Wilcoxon's signed-rank test, two-sided).

    Pairs without difference are dropped before ranking (Wilcoxon's own treatment); if
    every pair is equal, the p-value is 1. The p-value is exact for up to 50 pairs without
    ties, else by the normal approximation (SciPy).

    Args:
        before: Shape (N,), one score a dataset or draw.
        after: Shape (N,), in the same order.

    Raises:
        ValueError: If lengths differ, there is no pair, or a score is NaN.

    Examples:
        >>> result = wilcoxon([0.70, 0.80, 0.75, 0.60, 0.90], [0.81, 0.85, 0.79, 0.72, 0.91])
        >>> result.n, round(result.p_value, 4)
        (5, 0.0625)
    """
    first = np.asarray(before, dtype=np.float64)
    second = np.asarray(after, dtype=np.float64)
    if first.shape != second.shape or first.ndim != 1 or first.size == 0:
        raise ValueError(f"scores must be two equal rows, found {first.shape}, {second.shape}")
    difference = second - first
    if np.isnan(difference).any():
        raise ValueError("a score is NaN")
    moved = difference[difference != 0]
    if moved.size == 0:
        return TestResult(0.0, 1.0, 0, "Wilcoxon signed-rank")
    result = stats.wilcoxon(moved)
    return TestResult(
        float(result.statistic), float(result.pvalue), int(moved.size), "Wilcoxon signed-rank"
    )


def mcnemar_exact(correct_first: ArrayLike, correct_second: ArrayLike) -> TestResult:
    """Test whether two classifiers err equally often on the same cells (McNemar 1947).

    The exact binomial form: among the cells that exactly one of them gets right, each
    should be the better one half of the time.

    Args:
        correct_first: Shape (N,), whether the first classifier is right.
        correct_second: Shape (N,), whether the second is.

    Returns:
        `statistic` is the number of cells only the second got right, `n` the number of
        cells only one of them got right.

    Examples:
        >>> first = [True] * 10 + [False] * 8
        >>> result = mcnemar_exact(first, [True] * 18)
        >>> result.n, result.p_value
        (8, 0.0078125)
    """
    first = np.asarray(correct_first, dtype=bool)
    second = np.asarray(correct_second, dtype=bool)
    if first.shape != second.shape or first.ndim != 1:
        raise ValueError(f"the rows must be equal, found {first.shape}, {second.shape}")
    gained = int((second & ~first).sum())
    lost = int((first & ~second).sum())
    if gained + lost == 0:
        return TestResult(0.0, 1.0, 0, "exact McNemar")
    p_value = float(stats.binomtest(gained, gained + lost, 0.5).pvalue)
    return TestResult(float(gained), p_value, gained + lost, "exact McNemar")


def holm(p_values: ArrayLike) -> FloatArray:
    """Correct p-values for having looked several times (Holm 1979).

    Args:
        p_values: Shape (M,), each in 0..1.

    Returns:
        Shape (M,), adjusted, in the same order.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).round(3).tolist()
        [0.03, 0.06, 0.06]
    """
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p-values must be one row of numbers in 0..1")
    order = np.argsort(values, kind="stable")
    factors = values.size - np.arange(values.size)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return adjusted


def paired_difference(
    y_true: ArrayLike,
    y_first: ArrayLike,
    y_second: ArrayLike,
    n_classes: int,
    score: Callable[[ArrayLike], FloatArray],
    *,
    groups: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Return how much better the second classifier is, with bootstrap limits.

    Both are scored on the same resampled cells in each draw, so what they share cancels.

    Args:
        y_true: Shape (N,), positions of the true classes.
        y_first: Shape (N,), predictions of the first classifier.
        y_second: Shape (N,), predictions of the second.
        n_classes: K.
        score: A function of confusion matrices with one value each, such as
            `hemashift.evaluation.metrics.accuracy`.
        groups: N names; when given, whole groups are drawn.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.
        confidence: Nominal coverage, in 0..1.

    Returns:
        Second minus first, with limits.

    Examples:
        >>> from hemashift.evaluation.metrics import accuracy
        >>> truth = [0, 1] * 50
        >>> gain = paired_difference(truth, [0] * 100, truth, 2, accuracy)
        >>> gain.estimate, gain.low > 0.3
        (0.5, True)
    """
    first = confusion_matrix(y_true, y_first, n_classes)
    second = confusion_matrix(y_true, y_second, n_classes)
    # Both answers to a cell are drawn together; summing one of them away afterwards gives
    # each classifier's confusion matrix in the same draw.
    shape = (n_classes, n_classes, n_classes)
    answers = [np.asarray(codes, np.int64) for codes in (y_true, y_first, y_second)]
    outcomes = np.ravel_multi_index(answers, shape)
    if groups is None:
        counts = np.bincount(outcomes, minlength=n_classes**3).reshape(shape)
        table = bootstrap_confusions(counts, draws=draws, seed=seed)
    else:
        table = bootstrap_grouped_counts(
            outcomes, groups, n_classes**3, draws=draws, seed=seed
        ).reshape(draws, *shape)
    samples = score(table.sum(axis=2)) - score(table.sum(axis=3))
    estimate = float(score(second)) - float(score(first))
    kind = "paired bootstrap" if groups is None else "paired bootstrap over groups"
    return percentile_interval(estimate, samples, confidence, kind)
