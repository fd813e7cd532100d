from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from hemashift.adaptation.transductive import _with_pool, uncertainty
from hemashift.trust.softmax import fit_softmax


def test_the_gradient_is_that_of_the_loss() -> None:
    rng = np.random.default_rng(0)
    matrix, pool = rng.normal(size=(3, 5)), rng.normal(size=(7, 4))
    mix = np.array([0.6, 0.3, 0.1])
    _, gradient = uncertainty(matrix, pool, mix)
    for place in np.ndindex(matrix.shape):
        ends = []
        for shift in (-1e-5, 1e-5):
            moved = matrix.copy()
            moved[place] += shift
            ends.append(uncertainty(moved, pool, mix)[0])
        assert gradient[place] == pytest.approx((ends[1] - ends[0]) / 2e-5, abs=1e-6)


def test_least_where_cells_are_sure_and_their_mix_is_as_expected() -> None:
    pool = np.repeat([[1.0], [-1.0]], [30, 10], axis=0)
    sure = np.array([[50.0, 0.0], [-50.0, 0.0]])
    none = np.zeros((2, 2))
    assert uncertainty(sure, pool, np.array([0.75, 0.25]))[0] == pytest.approx(0, abs=1e-9)
    assert uncertainty(sure, pool, np.array([0.25, 0.75]))[0] > 0.5
    assert uncertainty(none, pool, np.array([0.5, 0.5]))[0] == pytest.approx(np.log(2))


def blobs() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels on the inner edges of one blob and the outer of the other: the middle is off."""
    rng = np.random.default_rng(3)
    truth = np.arange(200) % 2
    pool = np.column_stack([6.0 * truth - 6, np.zeros(200)]) + rng.normal(0, 0.7, (200, 2))
    labelled = np.array([[-4.5, 0.3], [-4.6, -0.3], [4.0, 0.3], [4.1, -0.3]])
    return labelled, np.array([0, 0, 1, 1]), pool, truth


def test_the_boundary_moves_to_where_few_cells_are() -> None:
    inputs, targets, pool, truth = blobs()
    weight, bias = fit_softmax(inputs, targets, 2, penalty=1.0)
    assert ((pool @ weight.T + bias).argmax(axis=1) == truth).mean() < 0.9
    weight, bias = _with_pool(pool, 1.0, np.zeros((2, 2)))(inputs, targets, 2, 3.0)
    assert ((pool @ weight.T + bias).argmax(axis=1) == truth).mean() > 0.98


def test_strength_0_is_the_probe() -> None:
    inputs, targets, pool, _ = blobs()
    refined = _with_pool(pool, 1.0, np.zeros((2, 2)))(inputs, targets, 2, 0.0)
    for ours, probe in zip(refined, fit_softmax(inputs, targets, 2, 1.0), strict=True):
        np.testing.assert_allclose(ours, probe, atol=1e-3)


def test_a_class_without_a_label_stays_rare() -> None:
    inputs, targets, pool, _ = blobs()
    weight, bias = _with_pool(pool, 1.0, np.zeros((3, 2)))(inputs, targets, 3, 0.3)
    assert softmax(pool @ weight.T + bias, axis=1)[:, 2].mean() < 0.1


def test_one_unlabelled_cell_counts_for_less_than_many() -> None:
    inputs, targets, pool, _ = blobs()
    probe = np.column_stack(fit_softmax(inputs, targets, 2, 1.0))

    def moved(cells: np.ndarray) -> float:
        """Return how far from the probe these cells lead."""
        found = _with_pool(cells, 1.0, np.zeros((2, 2)))(inputs, targets, 2, 0.3)
        return float(np.abs(np.column_stack(found) - probe).max())

    assert 0 < moved(pool[:1]) < 0.5 * moved(pool[:1].repeat(4, axis=0))
