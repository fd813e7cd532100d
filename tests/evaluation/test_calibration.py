"""Calibration measures do what their formulas say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import brier_score_loss, log_loss

from hemashift.evaluation import calibration


def drawn_from(temperature: float, n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Return logits, and labels drawn from their softmax at the given temperature."""
    rng = np.random.default_rng(0)
    logits = 3 * rng.normal(size=(n, 4))
    chances = softmax(logits / temperature, axis=1)
    labels = (rng.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return logits, np.minimum(labels, 3)


def test_scores_are_scikit_learns() -> None:
    logits, labels = drawn_from(1.0, 500)
    probabilities = softmax(logits, axis=1)
    assert calibration.negative_log_likelihood(labels, probabilities) == pytest.approx(
        log_loss(labels, probabilities)
    )
    assert calibration.brier_score(labels, probabilities) == pytest.approx(
        brier_score_loss(labels, probabilities, scale_by_half=False)
    )


def test_sure_and_wrong_is_finite_and_worst() -> None:
    assert calibration.brier_score([0], [[0.0, 1.0]]) == 2
    assert np.isfinite(calibration.negative_log_likelihood([0], [[0.0, 1.0]]))


def test_calibration_error_by_hand() -> None:
    confidence = [0.95, 0.95, 0.95, 0.95, 0.55, 0.55]
    correct = [1, 1, 1, 0, 1, 0]
    expected = (4 * abs(0.75 - 0.95) + 2 * abs(0.5 - 0.55)) / 6
    assert calibration.expected_calibration_error(confidence, correct, 10) == pytest.approx(
        expected
    )
    assert calibration.reliability_bins(confidence, correct, 10).count.sum() == 6


def test_bins_of_equal_mass_hold_equally_many() -> None:
    rng = np.random.default_rng(0)
    bins = calibration.reliability_bins(rng.random(1000), np.ones(1000), 10, "mass")
    assert bins.count.size == 10
    assert bins.count.min() >= 95
    assert bins.count.sum() == 1000


@pytest.mark.parametrize("binning", ["width", "mass"])
def test_one_confidence_makes_one_filled_bin(binning: calibration.Binning) -> None:
    bins = calibration.reliability_bins([1.0, 1.0], [1, 0], 5, binning)
    assert bins.error == pytest.approx(0.5)
    assert (bins.count > 0).sum() == 1


def test_bins_refuse_what_is_no_probability() -> None:
    for confidence in ([np.nan], [1.2], []):
        with pytest.raises(ValueError):
            calibration.reliability_bins(confidence, np.ones(len(confidence)))


def test_risk_rises_with_coverage_when_confidence_is_informative() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.random(5000)
    correct = rng.random(5000) < confidence
    curve = calibration.risk_coverage(confidence, correct)
    assert curve.coverage[-1] == 1
    assert curve.risk[-1] == pytest.approx(1 - correct.mean())
    assert curve.area < curve.risk[-1] / 1.5
    kept = curve.coverage_at(0.1)
    threshold = curve.threshold[curve.coverage == kept][0]
    assert 1 - correct[confidence >= threshold].mean() <= 0.1


def test_equal_confidence_is_kept_together() -> None:
    curve = calibration.risk_coverage([0.5, 0.5, 0.5, 0.5], [1, 1, 0, 0])
    assert curve.coverage.tolist() == [1.0]
    assert curve.area == 0.5
    assert curve.coverage_at(0.4) == 0.0


def test_the_error_by_chance_is_what_calibrated_probabilities_show() -> None:
    rng = np.random.default_rng(5)
    sure = rng.uniform(0.4, 1, 150)
    errors = [
        calibration.expected_calibration_error(sure, rng.random(150) < sure) for _ in range(300)
    ]
    found = calibration.chance_calibration_error(sure)
    assert found == pytest.approx(np.mean(errors), abs=0.005)
    assert found == calibration.chance_calibration_error(sure), "the same seed, the same result"
