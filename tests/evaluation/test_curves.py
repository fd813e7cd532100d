"""Curves and areas agree with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from hemashift.evaluation.curves import (
    average_curve,
    precision_recall,
    precision_recall_by_class,
    roc_auc_by_class,
    thin,
)


def scored(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    logits = rng.normal(size=(n, 4)) + 1.5 * np.eye(4)[truth]
    weights = np.exp(logits)
    return truth, weights / weights.sum(axis=1, keepdims=True)


def test_areas_are_scikit_learns() -> None:
    truth, probabilities = scored()
    curves = precision_recall_by_class(truth, probabilities)
    areas = roc_auc_by_class(truth, probabilities)
    for k in range(3):
        assert curves[k].area == pytest.approx(
            average_precision_score(truth == k, probabilities[:, k])
        )
        assert areas[k] == pytest.approx(roc_auc_score(truth == k, probabilities[:, k]))


def test_absent_class_has_no_curve_and_stays_out_of_the_average() -> None:
    truth, probabilities = scored()
    curves = precision_recall_by_class(truth, probabilities)
    assert curves[3].recall.size == 0
    assert np.isnan(curves[3].area)
    assert np.isnan(roc_auc_by_class(truth, probabilities)[3])
    assert average_curve(curves).area == pytest.approx(np.mean([c.area for c in curves[:3]]))


def test_area_under_the_averaged_curve_is_the_mean_area() -> None:
    truth, probabilities = scored()
    average = average_curve(precision_recall_by_class(truth, probabilities), points=20_001)
    drawn = np.sum(np.diff(average.recall) * average.precision[1:])
    assert drawn == pytest.approx(average.area, abs=2e-3)


def test_perfect_scores_fill_the_square() -> None:
    curve = average_curve((precision_recall([0, 1, 1], [0.1, 0.8, 0.9]),))
    assert curve.area == 1
    assert (curve.precision == 1).all()


def test_thinning_keeps_the_ends_and_the_area() -> None:
    truth, probabilities = scored(5000)
    curve = precision_recall(truth == 0, probabilities[:, 0])
    slim = thin(curve, points=101)
    assert slim.recall.size == 101
    assert slim.area == curve.area
    assert slim.precision[-1] == pytest.approx(np.mean(truth == 0), abs=0.02)


def test_nothing_to_average() -> None:
    average = average_curve((precision_recall([0, 0], [0.1, 0.2]),))
    assert np.isnan(average.area)


def test_one_class_only_has_no_roc_area() -> None:
    assert np.isnan(roc_auc_by_class([0, 0], [[0.9, 0.1], [0.8, 0.2]])).all()


def test_shapes_must_fit() -> None:
    with pytest.raises(ValueError, match="fit"):
        precision_recall_by_class([0, 1], [[1.0, 0.0]])
