"""Classes that a new laboratory moves all alike are found again without a label."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from hemashift.adaptation.mixture import Mixture, fit_mixture

MOVED = np.array([3.0, -2.0, 1.0, -2.0])


def laboratory(counts: list[int], size: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return the evidence of cells whose classes are moved by `MOVED`, and their classes."""
    rng = np.random.default_rng(seed)
    truth = np.repeat(np.arange(4), counts)
    return np.eye(4)[truth] * size + MOVED + rng.normal(size=(len(truth), 4)) * 0.4, truth


def given(mixture: Mixture, evidence: np.ndarray) -> np.ndarray:
    return softmax(evidence @ mixture.weight.T + mixture.bias, axis=1)


@pytest.mark.parametrize("size", [3.0, 5.0])
def test_classes_moved_alike_are_found_again(size: float) -> None:
    evidence, truth = laboratory([20, 100, 40, 140], size)
    said = softmax(evidence, axis=1)
    assert np.mean(said.argmax(axis=1) == truth) < 0.65
    found = fit_mixture(evidence, said)
    assert np.mean(given(found, evidence).argmax(axis=1) == truth) > 0.95
    np.testing.assert_allclose(found.mix, [0.067, 0.333, 0.133, 0.467], atol=0.02)
    np.testing.assert_allclose(found.means, np.eye(4) * size + MOVED, atol=0.5)


def test_a_class_without_a_cell_moves_with_the_others_and_is_rare() -> None:
    evidence, truth = laboratory([60, 0, 100, 140], 5.0)
    found = fit_mixture(evidence, softmax(evidence, axis=1))
    assert np.mean(given(found, evidence).argmax(axis=1) == truth) > 0.95
    assert 0 < found.mix[1] < 0.02
    np.testing.assert_allclose(found.means[1], np.eye(4)[1] * 5 + MOVED, atol=0.5)


def test_the_more_stiffness_the_less_a_class_goes_its_own_way() -> None:
    evidence, truth = laboratory([50, 50, 50, 50], 5.0)
    evidence[truth == 0] += [0.0, 2.0, 0.0, 0.0]
    said = softmax(evidence - MOVED, axis=1)
    own = evidence[truth == 0].mean(axis=0)
    apart = [
        float(np.linalg.norm(fit_mixture(evidence, said, stiffness).means[0] - own))
        for stiffness in (1.0, 10.0, 100.0)
    ]
    assert apart[0] < apart[1] < apart[2]


def test_shares_sum_to_one_and_the_same_cells_give_the_same_mixture() -> None:
    evidence, _ = laboratory([20, 100, 40, 140], 3.0)
    first, second = (fit_mixture(evidence, softmax(evidence, axis=1)) for _ in range(2))
    assert first.mix.sum() == pytest.approx(1)
    np.testing.assert_array_equal(first.weight, second.weight)
    np.testing.assert_array_equal(first.bias, second.bias)


def test_one_cell_and_evidence_that_says_nothing() -> None:
    one = fit_mixture(np.zeros((1, 3)), np.full((1, 3), 1 / 3))
    assert np.isfinite(one.weight).all() and np.isfinite(one.bias).all()
    same = fit_mixture(np.ones((50, 3)), np.full((50, 3), 1 / 3))
    np.testing.assert_allclose(given(same, np.ones((1, 3))), np.full((1, 3), 1 / 3), atol=1e-6)
