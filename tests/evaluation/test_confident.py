"""Planted wrong labels are found, and what is no label is refused."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.errors import TableError
from hemashift.evaluation.confident import likely_label_errors

K = 4


def predicted(truth: np.ndarray, sharpness: float = 3.0, seed: int = 0) -> np.ndarray:
    """Probabilities of a good but noisy classifier, (N, K)."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(len(truth), K)) + sharpness * np.eye(K)[truth]
    weights = np.exp(logits)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(1).integers(0, K, 400)


def test_errors_by_hand() -> None:
    # Thresholds: 0.6 for class 0 (mean of .8 .7 .3), 0.6 for class 1 (mean of .9 .3).
    probabilities = [[0.8, 0.2], [0.7, 0.3], [0.3, 0.7], [0.1, 0.9], [0.7, 0.3]]
    found = likely_label_errors([0, 0, 0, 1, 1], probabilities)
    assert found.rows.tolist() == [2, 4]
    assert found.suggested.tolist() == [1, 0]


def test_a_cell_that_reaches_no_threshold_is_no_error() -> None:
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9], [0.5, 0.5]]
    assert len(likely_label_errors([0, 0, 1, 1, 1], probabilities)) == 0


def test_of_two_thresholds_reached_the_more_probable_class_counts() -> None:
    # Class 1 is labelled on doubtful cells only, so that its threshold is low.
    probabilities = [[0.6, 0.4], [0.6, 0.4], [0.6, 0.4]]
    found = likely_label_errors([0, 0, 1], probabilities)
    assert found.rows.tolist() == [2]
    assert found.suggested.tolist() == [0]


def test_a_rare_class_that_is_not_recognised_attracts_no_other_cells() -> None:
    # The only cell of class 1 puts its threshold at 0.01, which all cells reach; three of class 0
    # stay below the threshold of their own.
    probabilities = [[0.99, 0.01]] * 4 + [[0.9, 0.1]] * 3 + [[0.99, 0.01]]
    found = likely_label_errors([0] * 7 + [1], probabilities)
    assert found.rows.tolist() == [7]


def test_planted_errors_are_found_and_come_first(truth: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    wrong = rng.choice(len(truth), 20, replace=False)
    labels = truth.copy()
    labels[wrong] = (truth[wrong] + 1) % K
    found = likely_label_errors(labels, predicted(truth, sharpness=5))
    # Cells that reach no threshold stay undecided, so that some errors are missed but few
    # labels are called wrong that are right.
    assert np.isin(wrong, found.rows).mean() >= 0.7
    hits = np.isin(found.rows, wrong)
    assert hits.mean() >= 0.9
    assert (found.suggested[hits] == truth[found.rows[hits]]).mean() >= 0.9
    assert (np.diff(found.self_confidence) >= 0).all()
    assert (found.suggested != labels[found.rows]).all()


def test_self_confidence_is_the_probability_of_the_given_label(truth: np.ndarray) -> None:
    probabilities = predicted(truth)
    labels = np.roll(truth, 1)
    found = likely_label_errors(labels, probabilities)
    expected = probabilities[found.rows, labels[found.rows]]
    np.testing.assert_array_equal(found.self_confidence, expected)


def test_a_class_without_a_label_is_never_suggested(truth: np.ndarray) -> None:
    labels = np.where(truth == 3, 0, truth)
    assert 3 not in likely_label_errors(labels, predicted(truth)).suggested


@pytest.mark.parametrize("labels", [[0], [0, 1, 2], [0, -1], [0.5, 1.0], [0, 2]])
def test_labels_that_do_not_fit_are_refused(labels: list[float]) -> None:
    with pytest.raises(ValueError):
        likely_label_errors(labels, [[0.5, 0.5], [0.1, 0.9]])


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [[0.5, 0.9]], [[np.nan, 1.0]], []])
def test_what_is_no_probability_is_refused(probabilities: list[float]) -> None:
    with pytest.raises(TableError):
        likely_label_errors([0], probabilities)
