from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemashift.trust.calibration import Calibration

from .conftest import MIX


def test_the_prior_is_the_class_mix_and_never_zero(answers: Callable[..., tuple]) -> None:
    np.testing.assert_allclose(Calibration.of(*answers(4000, 0)).prior, MIX, atol=0.02)
    sure = Calibration.of(np.eye(3)[[0, 0, 1]], np.array([0, 0, 1]))
    assert (sure.prior > 0).all()
    assert sure.prior.sum() == pytest.approx(1)


def test_the_same_mix_changes_nothing(known: Calibration) -> None:
    same = known.moved(known.prior)
    np.testing.assert_allclose(same.probabilities, known.probabilities)
    np.testing.assert_allclose(same.weights, 1)


def test_moved_cells_stand_for_a_smear_with_another_mix(answers: Callable[..., tuple]) -> None:
    """Weighted cells of one mix say the same about confidence as cells drawn from the other."""
    other = np.array([0.2, 0.4, 0.4])
    moved = Calibration.of(*answers(6000, 2)).moved(other)
    drawn, _ = answers(6000, 3, other)
    fresh = drawn * other / MIX
    fresh /= fresh.sum(axis=1, keepdims=True)
    assert moved.weights.mean() == pytest.approx(1)
    for number in range(3):
        weighted = np.average(moved.probabilities[:, number], weights=moved.weights)
        assert weighted == pytest.approx(fresh[:, number].mean(), abs=0.02)
