from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from hemashift.evaluation import Evaluation
from hemashift.studies.counting import counted, scores_by_draw, scores_over_draws

CLASSES = ("basophil", "monocyte", "neutrophil")


def evaluation(seed: int, grouped: bool = False, count: int = 120) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, count)
    probabilities = rng.dirichlet([1, 1, 1], count) + 0.3 * np.eye(3)[truth]
    groups = tuple(f"smear {i // 10}" for i in range(count)) if grouped else None
    return Evaluation(
        CLASSES,
        truth,
        probabilities / probabilities.sum(axis=1, keepdims=True),
        groups=groups,
        draws=500,
    )


def counts(*evaluations: Evaluation) -> pd.DataFrame:
    frames = [counted(one).assign(draw=number) for number, one in enumerate(evaluations, 1)]
    return pd.concat(frames, ignore_index=True)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_counts_of_one_draw_give_the_scores_and_limits_of_its_cells(grouped: bool) -> None:
    one = evaluation(0, grouped)
    overall, by_class = scores_over_draws(counts(one), CLASSES, bootstrap=500, seed=0)
    assert {name: i.estimate for name, i in overall.items()} == {
        name: pytest.approx(i.estimate) for name, i in one.overall.items()
    }
    # The cells are in another order, so that the bootstrap differs in its draws only.
    for name, interval in one.overall.items():
        assert overall[name].low == pytest.approx(interval.low, abs=0.02)
        assert overall[name].high == pytest.approx(interval.high, abs=0.02)
        assert overall[name].method == interval.method
    for scores in one.per_class:
        assert by_class[scores.name]["recall"].estimate == pytest.approx(scores.recall.estimate)


def test_scores_of_each_draw_are_those_of_scikit_learn() -> None:
    made = [evaluation(seed) for seed in range(3)]
    found = scores_by_draw(counts(*made), CLASSES).set_index(["draw", "metric"])["value"]
    for number, one in enumerate(made, 1):
        precision, recall, f1, _ = precision_recall_fscore_support(
            one.y_true, one.y_pred, average="macro"
        )
        assert found[number, "accuracy"] == pytest.approx(accuracy_score(one.y_true, one.y_pred))
        assert found[number, "macro_precision"] == pytest.approx(precision)
        assert found[number, "macro_recall"] == pytest.approx(recall)
        assert found[number, "macro_f1"] == pytest.approx(f1)


def test_limits_over_draws_cover_labels_and_cells() -> None:
    alike = [evaluation(1)] * 4
    different = [evaluation(seed) for seed in range(1, 5)]
    accuracies = [one.overall["accuracy"].estimate for one in different]
    overall, _ = scores_over_draws(counts(*different), CLASSES, bootstrap=2000, seed=0)
    assert overall["accuracy"].estimate == pytest.approx(np.mean(accuracies))
    assert overall["accuracy"].low < min(accuracies) < max(accuracies) < overall["accuracy"].high
    same, _ = scores_over_draws(counts(*alike), CLASSES, bootstrap=2000, seed=0)
    one = alike[0].overall["accuracy"]
    assert (same["accuracy"].low, same["accuracy"].high) == (
        pytest.approx(one.low, abs=0.02),
        pytest.approx(one.high, abs=0.02),
    )


def test_without_an_error_the_limits_are_exact_and_not_nothing() -> None:
    truth = np.array([0, 1, 2] * 10)
    right = Evaluation(CLASSES, truth, np.eye(3)[truth])
    overall, by_class = scores_over_draws(counts(right, right), CLASSES, bootstrap=100, seed=0)
    assert overall["accuracy"].estimate == overall["accuracy"].high == 1
    assert 0.8 < overall["accuracy"].low < 0.95
    assert by_class["basophil"]["recall"].low < 1


def test_a_class_that_no_draw_knows_has_no_score() -> None:
    one = evaluation(0)
    _, by_class = scores_over_draws(counts(one, one), (*CLASSES, "blast"), bootstrap=100, seed=0)
    assert np.isnan(by_class["blast"]["recall"].estimate)


def rows(*cells: tuple[int, str, str, int]) -> pd.DataFrame:
    frame = pd.DataFrame(cells, columns=["draw", "truth", "predicted", "cells"])
    return frame.assign(group="")


def test_a_mean_over_draws_lies_within_its_limits_where_one_never_calls_a_class() -> None:
    table = rows(
        (1, "neutrophil", "neutrophil", 90),
        (1, "monocyte", "neutrophil", 10),
        (2, "neutrophil", "neutrophil", 89),
        (2, "neutrophil", "monocyte", 1),
        (2, "monocyte", "monocyte", 9),
        (2, "monocyte", "neutrophil", 1),
    )
    _, by_class = scores_over_draws(table, CLASSES, bootstrap=2000, seed=0)
    precision = by_class["monocyte"]["precision"]
    assert precision.estimate == pytest.approx(0.45)
    assert precision.low == 0
    assert precision.high > 0.9


def test_without_an_error_in_few_groups_the_limits_are_those_of_the_groups() -> None:
    truth = np.array([0, 1, 2] * 40)
    groups = tuple(f"smear {i // 30}" for i in range(120))
    right = Evaluation(CLASSES, truth, np.eye(3)[truth], groups=groups)
    overall, _ = scores_over_draws(counts(right, right), CLASSES, bootstrap=100, seed=0)
    assert overall["accuracy"].low == pytest.approx(0.025 ** (1 / 4))
