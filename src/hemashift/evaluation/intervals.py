"""How sure a score is: limits of a proportion, of a mean over draws, of a bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from hemashift.evaluation.metrics import FloatArray, IntArray

_HALF_A_CELL = 0.5
# Below it the quantile of Student's t is beyond all numbers.
_LEAST_FREEDOM = 0.01


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
    _check_confidence(confidence)
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie in 0..{n}, found {successes}")
    if n == 0:
        return Interval(np.nan, 0.0, 1.0, confidence, "Clopper-Pearson")
    low, high = _exact(successes, n - successes, confidence)
    return Interval(successes / n, low, high, confidence, "Clopper-Pearson")


def weighted_proportion(
    successes: ArrayLike,
    weights: ArrayLike,
    groups: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Interval:
    """Return the interval of a proportion of cells that do not all count alike.

    The exact interval (`clopper_pearson`) of as many cells as the weighted ones are worth: the
    square of the sum of the weights over the sum of their squares (Kish 1965). With groups this is
    divided by their design effect, how much more the proportion varies than if cells were
    independent, estimated from the groups' residuals (Korn and Graubard 1998, Surv Methodol
    24:193). What it exceeds 1 by is multiplied by the square of Student's t over that of the normal
    distribution, as few groups tell it badly, with one degree of freedom less than groups of equal
    weight would be worth the same. Where few cells are a success, or few are none, it tells little:
    it is drawn, with the weight of half a cell, to that of groups that are alike throughout. It
    never exceeds that. With equal weights and no groups this is the exact interval.

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
    share = float(counts[found].sum() / counts.sum())
    worth = _worth(counts)
    if groups is not None:
        members = np.unique(np.asarray(groups), return_inverse=True)[1]
        least = _worth(np.bincount(members, counts).astype(np.float64))
        alike = _likeness(counts * (found - share), members, worth / least)
        few = min(share, 1 - share) * worth
        alike = (few * alike + _HALF_A_CELL) / (few + _HALF_A_CELL)
        if worth > least:
            surplus = (worth / least - 1) * alike * _unsure(least - 1, confidence)
            worth = max(worth / (1 + surplus), least)
    low, high = _exact(share * worth, 0.0 if found.all() else (1 - share) * worth, confidence)
    return Interval(share, low, high, confidence, "Clopper-Pearson, effective number")


def _worth(weights: FloatArray) -> float:
    """Return how many cells of equal weight weighted ones are worth."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def _likeness(residuals: FloatArray, members: IntArray, most: float) -> float:
    """Return how alike the cells of a group are: 0 as any cells, 1 throughout.

    Args:
        residuals: Shape (N,), weight times distance from the proportion.
        members: Shape (N,), positions of the groups.
        most: The design effect of groups that are alike throughout.
    """
    groups = int(members.max()) + 1
    apart = float((residuals**2).sum())
    if groups == 1 or apart == 0:
        return 1.0
    if most <= 1:
        return 0.0
    together = groups / (groups - 1) * float((np.bincount(members, residuals) ** 2).sum())
    return float(np.clip((together / apart - 1) / (most - 1), 0, 1))


def _unsure(freedom: float, confidence: float) -> float:
    """Return the square of Student's t over that of the normal distribution."""
    if freedom < _LEAST_FREEDOM:
        return float("inf")
    place = 0.5 + confidence / 2
    return float((stats.t.ppf(place, freedom) / stats.norm.ppf(place)) ** 2)


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


def _exact(right: float, wrong: float, confidence: float) -> tuple[float, float]:
    """Return the limits of Clopper and Pearson, which need not be of whole cells."""
    tail = (1 - confidence) / 2
    low = float(special.betaincinv(right, wrong + 1, tail)) if right > 0 else 0.0
    high = float(special.betaincinv(right + 1, wrong, 1 - tail)) if wrong > 0 else 1.0
    return low, high


def _check_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1, found {confidence}")
