"""The scores agree with scikit-learn, and stay defined where a class is missing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as reference

from hemashift.evaluation import metrics


@pytest.fixture(params=range(5))
def answers(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(request.param)
    truth = rng.choice(6, size=200, p=[0.02, 0.08, 0.2, 0.3, 0.1, 0.3])
    wrong = rng.random(200) < 0.3
    return truth, np.where(wrong, rng.integers(0, 6, 200), truth)


def test_scores_agree_with_scikit_learn(answers: tuple[np.ndarray, np.ndarray]) -> None:
    truth, predicted = answers
    confusion = metrics.confusion_matrix(truth, predicted, 6)
    assert (confusion == reference.confusion_matrix(truth, predicted, labels=range(6))).all()
    p, r, f, s = reference.precision_recall_fscore_support(
        truth, predicted, labels=range(6), zero_division=0
    )
    np.testing.assert_allclose(metrics.precision(confusion), p)
    np.testing.assert_allclose(metrics.recall(confusion), r)
    np.testing.assert_allclose(metrics.f1(confusion), f)
    np.testing.assert_array_equal(metrics.support(confusion), s)
    assert metrics.accuracy(confusion) == pytest.approx(reference.accuracy_score(truth, predicted))
    assert metrics.balanced_accuracy(confusion) == pytest.approx(
        reference.balanced_accuracy_score(truth, predicted)
    )
    assert metrics.macro_f1(confusion) == pytest.approx(f[s > 0].mean())


def test_truth_and_prediction_are_not_exchanged() -> None:
    confusion = metrics.confusion_matrix([0, 0, 0, 1], [0, 1, 1, 1], 2)
    np.testing.assert_allclose(metrics.recall(confusion), [1 / 3, 1])
    np.testing.assert_allclose(metrics.precision(confusion), [1, 1 / 3])


def test_absent_class_leaves_the_macro_but_its_predictions_stay_errors() -> None:
    truth, predicted = [0, 0, 1, 1], [0, 2, 1, 1]
    confusion = metrics.confusion_matrix(truth, predicted, 4)
    assert np.isnan(metrics.recall(confusion)[[2, 3]]).all()
    assert metrics.precision(confusion)[2] == 0
    assert np.isnan(metrics.precision(confusion)[3])
    assert float(metrics.macro_recall(confusion)) == 0.75
    assert float(metrics.macro_precision(confusion)) == 1.0
    assert float(metrics.accuracy(confusion)) == 0.75
    assert float(metrics.macro_f1(confusion)) == pytest.approx(
        reference.f1_score(truth, predicted, labels=[0, 1], average="macro")
    )


def test_class_never_predicted_lowers_the_macro_precision() -> None:
    confusion = metrics.confusion_matrix([0, 0, 1], [0, 0, 0], 2)
    assert float(metrics.macro_precision(confusion)) == pytest.approx(1 / 3)


def test_single_class_and_single_cell() -> None:
    confusion = metrics.confusion_matrix([2], [2], 3)
    for name, score in metrics.OVERALL.items():
        assert float(score(confusion)) == 1.0, name


def test_no_cell_gives_nan_not_a_number() -> None:
    confusion = metrics.confusion_matrix([], [], 3)
    assert np.isnan(metrics.accuracy(confusion))
    assert np.isnan(metrics.macro_f1(confusion))


def test_a_stack_is_scored_matrix_by_matrix() -> None:
    stack = np.random.default_rng(0).integers(0, 9, (7, 3, 3))
    for score in (*metrics.OVERALL.values(), *metrics.PER_CLASS.values()):
        np.testing.assert_allclose(score(stack), [score(one) for one in stack])


@pytest.mark.parametrize(
    ("truth", "predicted"), [([0], [0, 1]), ([3], [0]), ([-1], [0]), ([0.5], [0])]
)
def test_bad_positions_are_refused(truth: list[float], predicted: list[float]) -> None:
    with pytest.raises(ValueError):
        metrics.confusion_matrix(truth, predicted, 3)


def test_labels_outside_the_list_are_marked_and_double_classes_refused() -> None:
    codes = metrics.encode_labels(["b", None, "c"], ["a", "b"])
    assert codes.tolist() == [1, metrics.UNLISTED, metrics.UNLISTED]
    with pytest.raises(ValueError, match="twice"):
        metrics.encode_labels(["a"], ["a", "a"])
