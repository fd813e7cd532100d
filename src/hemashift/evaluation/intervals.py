"""How sure a score is: limits of a proportion, of a mean over draws, of a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


@dataclass(frozen=True)
class Interval:
    """A score with its confidence limits.

    Attributes:
        estimate: The score itself, from all cells.
        low: Lower limit; NaN where none can be given.
        high: Upper limit; NaN where none can be given.
        confidence: Nominal coverage, 0..1.
        method: How the limits were found.

    Examples:
        >>> print(Interval(0.9, 0.85, 0.94))
        0.900 (0.850 to 0.940)
    """

    estimate: float
    low: float
    high: float
    confidence: float = 0.95
    method: str = ""

    def __str__(self) -> str:
        if np.isnan(self.estimate):
            return "not defined"
        if np.isnan(self.low) or np.isnan(self.high):
            return f"{self.estimate:.3f}"
        return f"{self.estimate:.3f} ({self.low:.3f} to {self.high:.3f})"


def clopper_pearson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return the exact interval of a proportion.

    Clopper and Pearson 1934; in haematology known as the table of Rümke (1977) for the
    limits of a differential count.

    Args:
        successes: Number of cells counted, 0..n.
        n: Number of cells looked at. With n = 0 the interval is 0..1 around NaN.
        confidence: Nominal coverage, in 0..1.

    Returns:
        Estimate and limits as fractions 0..1.

    Raises:
        ValueError: If `successes` is not in 0..n, or `confidence` not in 0..1.

    Examples:
        >>> print(clopper_pearson(5, 100))
        0.050 (0.016 to 0.113)
    """
    return _proportion(successes, n, confidence, "exact", "Clopper-Pearson")


def wilson(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Return the score interval of a proportion (Wilson 1927).

    Narrower than `clopper_pearson`, with nominal coverage on average instead of at least.
    Arguments, result and errors as there.

    Examples:
        >>> print(wilson(5, 100))
        0.050 (0.022 to 0.112)
    """
    return _proportion(successes, n, confidence, "wilson", "Wilson")


def weighted_proportion(
    successes: ArrayLike,
    weights: ArrayLike,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Return the interval of a proportion of cells that do not all count alike.

    The exact interval (`clopper_pearson`) of as many cells as the weighted groups are worth, which
    is the square of the sum of the weights over the sum of the squares of those of each group (Kish
    1965; Korn and Graubard 1998). With equal weights and no groups it is the exact interval.

    Args:
        successes: Shape (N,), whether each cell is a success.
        weights: Shape (N,), how much each cell counts, above 0.
        groups: Shape (N,), names of groups of cells that are not independent, such as copies of
            one; by default each cell is its own.
        confidence: Nominal coverage, in 0..1.

    Returns:
        Estimate and limits as fractions 0..1.

    Raises:
        ValueError: If there is no cell, a weight is not above 0, or `confidence` not in 0..1.

    Examples:
        >>> print(weighted_proportion([True] * 5 + [False] * 95, np.ones(100)))
        0.050 (0.016 to 0.113)
        >>> print(weighted_proportion([True, True, False, False], [8, 1, 1, 1]))
        0.818 (0.065 to 1.000)
    """
    _check_confidence(confidence)
    found, counts = np.asarray(successes, bool), np.asarray(weights, np.float64)
    if not len(found) or found.shape != counts.shape or not (counts > 0).all():
        raise ValueError("a weighted proportion needs cells, each with a weight above 0")
    members = np.arange(len(found)) if groups is None else np.unique(groups, return_inverse=True)[1]
    share = float(counts[found].sum() / counts.sum())
    worth = float(counts.sum() ** 2 / (np.bincount(members, counts) ** 2).sum())
    tail, right, wrong = (1 - confidence) / 2, share * worth, (1 - share) * worth
    low = float(stats.beta.ppf(tail, right, wrong + 1)) if found.any() else 0.0
    high = float(stats.beta.ppf(1 - tail, right + 1, wrong)) if not found.all() else 1.0
    return Interval(share, low, high, confidence, "Clopper-Pearson, effective number")


def t_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Return the mean of repeated draws with Student's t limits.

    Args:
        values: One score a draw (for instance a seed or a set of labelled cells), not rounded.
        confidence: Nominal coverage, in 0..1.

    Returns:
        The mean and its limits; limits are NaN for a single draw, which says nothing
        about spread.

    Raises:
        ValueError: If there is no value or one is NaN.

    Examples:
        >>> print(t_interval([0.90, 0.92, 0.94]))
        0.920 (0.870 to 0.970)
    """
    _check_confidence(confidence)
    sample = np.asarray(values, dtype=np.float64).ravel()
    if sample.size == 0 or np.isnan(sample).any():
        raise ValueError("a t-interval needs at least one value and no NaN")
    mean = float(sample.mean())
    if sample.size == 1:
        return Interval(mean, np.nan, np.nan, confidence, "Student t")
    error = float(sample.std(ddof=1)) / np.sqrt(sample.size)
    half = float(stats.t.ppf(0.5 + confidence / 2, sample.size - 1)) * error
    return Interval(mean, mean - half, mean + half, confidence, "Student t")


def percentile_interval(
    estimate: float, samples: ArrayLike, confidence: float = 0.95, method: str = "bootstrap"
) -> Interval:
    """Return the percentile interval of bootstrap draws (Efron and Tibshirani 1993).

    Args:
        estimate: The score from all cells.
        samples: Shape (draws,), the score of each draw. Draws in which it is not defined
            (NaN: the class was not drawn) are left out.
        confidence: Nominal coverage, in 0..1.
        method: Name kept in the result.

    Examples:
        >>> print(percentile_interval(0.5, np.linspace(0, 1, 101)))
        0.500 (0.025 to 0.975)
    """
    _check_confidence(confidence)
    drawn = np.asarray(samples, dtype=np.float64)
    drawn = drawn[~np.isnan(drawn)]
    if drawn.size == 0 or np.isnan(estimate):
        return Interval(float(estimate), np.nan, np.nan, confidence, method)
    tail = (1 - confidence) / 2
    low, high = np.quantile(drawn, [tail, 1 - tail])
    return Interval(float(estimate), float(low), float(high), confidence, method)


def _proportion(
    successes: int,
    n: int,
    confidence: float,
    method: Literal["exact", "wilson"],
    name: str,
) -> Interval:
    _check_confidence(confidence)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in 0..{n}, found {successes}")
    if n == 0:
        return Interval(np.nan, 0.0, 1.0, confidence, name)
    limits = stats.binomtest(int(successes), int(n)).proportion_ci(confidence, method)
    return Interval(successes / n, float(limits.low), float(limits.high), confidence, name)


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, found {confidence}")
