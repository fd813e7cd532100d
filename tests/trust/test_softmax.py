from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from hemashift.trust.softmax import _BIAS_PENALTY, fit_softmax, span


def cells(count: int, width: int, n_classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    targets = np.arange(count) % n_classes
    centres = rng.normal(size=(n_classes, width))
    return centres[targets] + rng.normal(size=(count, width)), targets


@pytest.mark.parametrize("penalty", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("shape", [(90, 5, 3), (40, 60, 4)])
def test_agrees_with_scikit_learn(penalty: float, shape: tuple[int, int, int]) -> None:
    inputs, targets = cells(*shape)
    weight, bias = fit_softmax(inputs, targets, shape[2], penalty)
    # A bias with a prior is the weight of a constant input, the larger the weaker its prior.
    constant = np.full((len(inputs), 1), np.sqrt(penalty / _BIAS_PENALTY))
    wide = np.hstack([inputs, constant])
    theirs = LogisticRegression(C=1 / penalty, fit_intercept=False, tol=1e-8, max_iter=5000)
    ours = softmax(inputs @ weight.T + bias, axis=1)
    np.testing.assert_allclose(ours, theirs.fit(wide, targets).predict_proba(wide), atol=1e-3)


def test_whole_weights_count_as_copies() -> None:
    inputs, targets = cells(30, 4, 3)
    copies = np.arange(30) % 3 + 1
    weighed = fit_softmax(inputs, targets, 3, 1.0, weights=copies)
    copied = fit_softmax(np.repeat(inputs, copies, axis=0), np.repeat(targets, copies), 3, 1.0)
    for ours, theirs in zip(weighed, copied, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-3)


def test_sure_soft_targets_are_labels() -> None:
    inputs, targets = cells(30, 4, 3)
    hard = fit_softmax(inputs, targets, 3, 1.0)
    soft = fit_softmax(inputs, np.zeros(30, np.int64), 3, 1.0, weights=np.eye(3)[targets])
    np.testing.assert_array_equal(hard[0], soft[0])


def test_soft_targets_are_met_where_nothing_tells_the_cells_apart() -> None:
    wanted = np.tile([0.6, 0.3, 0.1], (50, 1))
    weight, bias = fit_softmax(np.zeros((50, 2)), np.zeros(50, np.int64), 3, 1.0, weights=wanted)
    np.testing.assert_array_equal(weight, 0)
    np.testing.assert_allclose(softmax(bias), wanted[0], atol=5e-3)


def test_a_strong_prior_keeps_the_weights_where_they_were() -> None:
    inputs, targets = cells(60, 4, 3)
    known = np.random.default_rng(1).normal(size=(3, 4))
    weight, _ = fit_softmax(inputs, targets, 3, 1e6, towards=known)
    np.testing.assert_allclose(weight, known, atol=1e-3)


def test_labels_overrule_a_weak_prior() -> None:
    inputs, targets = cells(60, 4, 3)
    plain, _ = fit_softmax(inputs, targets, 3, 1e-4)
    weight, _ = fit_softmax(inputs, targets, 3, 1e-4, towards=-plain)
    np.testing.assert_allclose(weight, plain, atol=0.02)


def test_what_was_learnt_before_helps_where_labels_are_few() -> None:
    inputs, targets = cells(600, 4, 3)
    known, _ = fit_softmax(inputs[100:], targets[100:], 3, 0.1)
    few, truth = inputs[:6], targets[6:100]

    def right(**prior: np.ndarray) -> float:
        weight, bias = fit_softmax(few, targets[:6], 3, 1.0, **prior)
        return float(((inputs[6:100] @ weight.T + bias).argmax(axis=1) == truth).mean())

    assert right(towards=known) > right() + 0.05


def test_a_class_without_a_cell_is_finite_and_unlikely() -> None:
    inputs, targets = cells(40, 4, 2)
    weight, bias = fit_softmax(inputs, targets, 3, 0.1)
    found = softmax(inputs @ weight.T + bias, axis=1)
    assert np.isfinite(weight).all() and np.isfinite(bias).all()
    assert found[:, 2].max() < 0.05


@pytest.mark.parametrize("shape", [(5, 40), (40, 5), (1, 3)])
def test_span(shape: tuple[int, int]) -> None:
    inputs = np.random.default_rng(0).normal(size=shape)
    coordinates, basis = span(inputs)
    assert coordinates.shape == (shape[0], min(shape))
    np.testing.assert_allclose(coordinates @ basis, inputs, atol=1e-10)
    np.testing.assert_allclose(basis @ basis.T, np.eye(min(shape)), atol=1e-10)


def test_the_solution_in_the_span_is_the_solution() -> None:
    inputs, targets = cells(20, 50, 3)
    whole, _ = fit_softmax(inputs, targets, 3, 1.0)
    coordinates, basis = span(inputs)
    weight, _ = fit_softmax(coordinates, targets, 3, 1.0)
    np.testing.assert_allclose(weight @ basis, whole, atol=1e-3)
