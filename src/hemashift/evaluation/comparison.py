"""Whether one method is better than another, or only luckier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_counts
from hemashift.evaluation.exact import CLASS_SCORE_OF, Exact, correlation
from hemashift.evaluation.intervals import Interval
from hemashift.evaluation.metrics import OVERALL, PER_CLASS, FloatArray, IntArray

_DIGITS = 12


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

    Differences are rounded to 12 digits first, since equal ones may differ in the last bit, which
    would break ties. Pairs without difference are dropped before ranking (Wilcoxon's own
    treatment); if every pair is equal, the p-value is 1. SciPy chooses between the exact
    distribution, for few pairs, and the normal approximation.

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
    difference = np.round(second - first, _DIGITS)
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
    score: str,
    *,
    groups: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> Interval:
    """Return how much better the second classifier is.

    The limits are put together from the exact limits of both scores (`Exact`) and from how these
    correlate in bootstrap draws, both scored on the same cells in each, so that what they share
    cancels. For accuracy this is method 10 of Newcombe (1998, Stat Med 17:2635), its continuity
    correction of the correlation included, with exact limits in the place of Wilson's; for other
    scores the same is done as by Zou and Donner (2008, Stat Med 27:1693). Two classifiers that
    always agree on a few cells are not certain to agree on all.

    Args:
        y_true: Shape (N,), positions of the true classes.
        y_first: Shape (N,), predictions of the first classifier.
        y_second: Shape (N,), predictions of the second.
        n_classes: K.
        score: Name of the score, one of `hemashift.evaluation.metrics.OVERALL`.
        groups: N names; when given, cells of one group are not taken for independent.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.
        confidence: Nominal coverage, in 0..1.

    Returns:
        Second minus first, with limits.

    Examples:
        >>> truth = [0, 1] * 50
        >>> print(paired_difference(truth, [0] * 100, truth, 2, "accuracy"))
        0.500 (0.392 to 0.602)
    """
    # Both answers to a cell are drawn together; summing one of them away afterwards gives
    # each classifier's confusion matrix in the same draw.
    shape = (n_classes, n_classes, n_classes)
    answers = [np.asarray(codes, np.int64) for codes in (y_true, y_first, y_second)]
    truth = answers[0]
    outcomes = np.ravel_multi_index(answers, shape)
    if groups is None:
        counts = np.bincount(outcomes, minlength=n_classes**3).reshape(shape)
        table = bootstrap_confusions(counts, draws=draws, seed=seed)
    else:
        table = bootstrap_grouped_counts(
            outcomes, groups, n_classes**3, draws=draws, seed=seed
        ).reshape(draws, *shape)
    drawn = [table.sum(axis=2 if number else 3) for number in range(2)]
    both = [
        _limits(Exact(truth, codes, groups, confidence), score, counts)
        for codes, counts in zip(answers[1:], drawn, strict=True)
    ]
    shared = _correlation(
        np.stack([OVERALL[score](counts) for counts in drawn], axis=1),
        np.array([one.estimate for one in both]),
    )
    before, after = both
    estimate = after.estimate - before.estimate
    below = _distance(after.estimate - after.low, before.high - before.estimate, shared)
    above = _distance(after.high - after.estimate, before.estimate - before.low, shared)
    return Interval(
        estimate, max(estimate - below, -1), min(estimate + above, 1), confidence, "limits of both"
    )


def _limits(exact: Exact, score: str, drawn: IntArray) -> Interval:
    if score == "accuracy":
        return exact.accuracy()
    return exact.macro(score, PER_CLASS[CLASS_SCORE_OF[score]](drawn))


def _correlation(samples: FloatArray, scores: FloatArray) -> float:
    """Return how two scores correlate over draws, corrected for continuity.

    Newcombe takes half a cell from what both get right or wrong. Where both have the proportion p
    right of n cells, this lowers the correlation by 1 / (2 n p (1 - p)); n follows from the
    variance p (1 - p) / n of the draws.
    """
    found = correlation(samples, 0.0)[0, 1]
    spread = scores * (1 - scores)
    if not (spread > 0).all():
        return 0.0
    return max(0.0, float(found - (samples.var(axis=0) / (2 * spread**2)).max()))


def _distance(first: float, second: float, shared: float) -> float:
    return float(np.sqrt(max(0.0, first**2 + second**2 - 2 * shared * first * second)))
