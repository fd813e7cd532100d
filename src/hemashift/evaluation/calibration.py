"""Whether a probability of 0.9 is right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from hemashift.evaluation.metrics import FloatArray, IntArray

Binning = Literal["width", "mass"]

_SMALLEST = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class ReliabilityBins:
    """Confidence against accuracy in bins of confidence.

    Attributes:
        edges: Shape (B + 1,), rising from 0 to 1 (equal width) or between the confidences
            that occur (equal mass).
        count: Shape (B,), cells in each bin.
        confidence: Shape (B,), mean confidence; NaN in an empty bin.
        accuracy: Shape (B,), fraction right; NaN in an empty bin.
    """

    edges: FloatArray
    count: IntArray
    confidence: FloatArray
    accuracy: FloatArray

    @property
    def error(self) -> float:
        """Expected calibration error: the mean gap, weighted by the cells in each bin."""
        filled = self.count > 0
        gap = np.abs(self.accuracy[filled] - self.confidence[filled])
        return float(np.average(gap, weights=self.count[filled]))


@dataclass(frozen=True)
class RiskCoverage:
    """The error among the cells that are kept when the least sure ones go to a person.

    Attributes:
        coverage: Shape (P,), fraction of the cells kept, rising to 1.
        risk: Shape (P,), fraction wrong among them.
        threshold: Shape (P,), the confidence at and above which a cell is kept.
        area: Area under risk against coverage (AURC), the mean risk; lower is better.
    """

    coverage: FloatArray
    risk: FloatArray
    threshold: FloatArray
    area: float

    def coverage_at(self, risk: float) -> float:
        """Return the largest coverage whose risk is at most `risk`; 0 where there is none."""
        allowed = self.risk <= risk
        return float(self.coverage[allowed].max()) if allowed.any() else 0.0


def reliability_bins(
    confidence: ArrayLike, correct: ArrayLike, n_bins: int = 15, binning: Binning = "width"
) -> ReliabilityBins:
    """Sort predictions into bins of confidence (Guo et al. 2017).

    Args:
        confidence: Shape (N,), probability of the predicted class, in 0..1.
        correct: Shape (N,), whether the prediction is right.
        n_bins: Number of bins; with equal mass, ties can leave fewer.
        binning: "width": bins as wide as each other, closed on the right; "mass": bins
            that hold as many cells as each other (Nguyen and O'Connor 2015).

    Examples:
        >>> bins = reliability_bins([0.9, 0.9, 0.6, 0.6], [1, 1, 1, 0], n_bins=2)
        >>> bins.count.tolist(), round(bins.error, 3)
        ([0, 4], 0.0)
    """
    sure = np.asarray(confidence, dtype=np.float64)
    right = np.asarray(correct, dtype=np.float64)
    if sure.size == 0 or sure.shape != right.shape or sure.ndim != 1:
        raise ValueError(f"confidence {sure.shape} and correct {right.shape} must be equal rows")
    if not (np.isfinite(sure).all() and sure.min() >= 0 and sure.max() <= 1 + 1e-6):
        raise ValueError("confidence must lie in 0..1")
    edges = (
        np.linspace(0, 1, n_bins + 1)
        if binning == "width"
        else np.unique(np.quantile(sure, np.linspace(0, 1, n_bins + 1), method="lower"))
    )
    if edges.size == 1:
        edges = np.repeat(edges, 2)
    bins = edges.size - 1
    member = np.clip(np.searchsorted(edges, sure, side="left") - 1, 0, bins - 1)
    count = np.bincount(member, minlength=bins).astype(np.int64)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(member, sure, bins) / count
        accuracy = np.bincount(member, right, bins) / count
    return ReliabilityBins(edges, count, mean, accuracy)


def expected_calibration_error(
    confidence: ArrayLike, correct: ArrayLike, n_bins: int = 15, binning: Binning = "width"
) -> float:
    """Return the expected calibration error, in 0..1; arguments as `reliability_bins`."""
    return reliability_bins(confidence, correct, n_bins, binning).error


def chance_calibration_error(
    confidence: ArrayLike,
    n_bins: int = 15,
    binning: Binning = "width",
    draws: int = 200,
    seed: int = 0,
) -> float:
    """Return the calibration error to expect where every probability is right.

    Bins of few cells are never quite as accurate as they are sure, so that the error of a hundred
    cells is well above 0 even then (Kumar et al. 2019, arXiv 1909.10155, on its bias). An error is
    to be compared with this one, not with 0.

    Args:
        confidence: Shape (N,), probability of the predicted class, in 0..1.
        n_bins: As for `reliability_bins`.
        binning: As for `reliability_bins`.
        draws: How often outcomes are drawn with these probabilities.
        seed: Seed of the draws.

    Returns:
        The mean expected calibration error, in 0..1.

    Examples:
        >>> few, many = [0.8] * 20, [0.8] * 2000
        >>> chance_calibration_error(few) > 0.05 > chance_calibration_error(many)
        True
    """
    sure = np.asarray(confidence, dtype=np.float64)
    rng = np.random.default_rng([seed, 31])
    errors = [
        expected_calibration_error(sure, rng.random(sure.shape) < sure, n_bins, binning)
        for _ in range(draws)
    ]
    return float(np.mean(errors))


def brier_score(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean squared distance to the truth, summed over classes (Brier 1950).

    Args:
        y_true: Shape (N,), positions of the true classes.
        probabilities: Shape (N, K).

    Returns:
        In 0 (perfect) .. 2 (sure and wrong throughout).

    Examples:
        >>> round(brier_score([0, 1], [[1.0, 0.0], [0.5, 0.5]]), 3)
        0.25
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    truth = np.eye(scores.shape[1])[np.asarray(y_true, dtype=np.int64)]
    return float(((scores - truth) ** 2).sum(axis=1).mean())


def negative_log_likelihood(y_true: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean negative natural log of the probability of the true class, in nats.

    A probability of 0 counts as the smallest positive double, so the result is finite.
    """
    scores = np.asarray(probabilities, dtype=np.float64)
    truth = np.asarray(y_true, dtype=np.int64)
    given = scores[np.arange(truth.size), truth]
    return float(-np.log(np.maximum(given, _SMALLEST)).mean())


def risk_coverage(confidence: ArrayLike, correct: ArrayLike) -> RiskCoverage:
    """Return the error that remains when only the surest cells are kept.

    Geifman and El-Yaniv 2017. Cells of equal confidence are kept or dropped together.

    Args:
        confidence: Shape (N,), higher is surer.
        correct: Shape (N,), whether the prediction is right.

    Examples:
        >>> curve = risk_coverage([0.9, 0.8, 0.7, 0.6], [1, 1, 0, 1])
        >>> curve.coverage_at(0.0)
        0.5
    """
    sure = np.asarray(confidence, dtype=np.float64)
    wrong = 1.0 - np.asarray(correct, dtype=np.float64)
    if sure.size == 0 or sure.shape != wrong.shape or not np.isfinite(sure).all():
        raise ValueError("confidence and correct must be rows of the same length, finite")
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], wrong[order]
    last = np.flatnonzero(np.append(np.diff(sure) != 0, True))
    kept = last + 1.0
    risk = np.cumsum(wrong)[last] / kept
    area = float(np.average(risk, weights=np.diff(np.append(0.0, kept))))
    return RiskCoverage(kept / sure.size, risk, sure[last], area)
