"""Every score comes with limits that mean something, also where all cells are right."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.evaluation.intervals import clopper_pearson
from hemashift.evaluation.scores import score_intervals


def test_limits_surround_the_estimates() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, 400)
    predicted = np.where(rng.random(400) < 0.2, rng.integers(0, 4, 400), truth)
    overall, by_class = score_intervals(truth, predicted, 4)
    for interval in (*overall.values(), *(one for row in by_class for one in row.values())):
        assert interval.low < interval.estimate < interval.high
    assert overall["accuracy"].method == by_class[0]["f1"].method == "Clopper-Pearson"
    assert overall["macro_f1"].method == "limits of the classes"
    error = np.sqrt(0.85 * 0.15 / 400)
    assert overall["accuracy"].high - overall["accuracy"].low == pytest.approx(
        2 * 1.96 * error, rel=0.12
    )


def test_accuracy_has_the_exact_limits_of_its_proportion() -> None:
    overall, _ = score_intervals([0] * 997, [0] * 990 + [1] * 7, 2)
    assert overall["accuracy"] == clopper_pearson(990, 997)


def test_all_right_is_not_certain() -> None:
    truth = [0] * 20 + [1] * 30
    overall, by_class = score_intervals(truth, truth, 3)
    assert overall["accuracy"] == clopper_pearson(50, 50)
    assert by_class[0]["recall"] == clopper_pearson(20, 20)
    assert 0.8 < by_class[1]["f1"].low < 1 == by_class[1]["f1"].high
    assert overall["macro_recall"].low < overall["accuracy"].low
    assert 0.91 < overall["macro_f1"].low < 0.94
    assert np.isnan(by_class[2]["recall"].estimate)


def test_never_predicted_is_zero_with_a_wide_precision() -> None:
    _, by_class = score_intervals([0, 0, 1, 1], [0, 0, 0, 0], 2)
    precision = by_class[1]["precision"]
    assert (precision.estimate, precision.low, precision.high) == (0, 0, 1)
    assert by_class[1]["f1"].estimate == 0


def test_a_class_called_twice_and_rightly_has_the_exact_precision() -> None:
    truth = [0] * 100 + [1] * 100
    predicted = [0] * 2 + [1] * 198
    _, by_class = score_intervals(truth, predicted, 2)
    assert by_class[0]["precision"] == clopper_pearson(2, 2)


def test_one_cell() -> None:
    overall, _ = score_intervals([1], [1], 2)
    assert overall["accuracy"] == clopper_pearson(1, 1)


def test_groups_widen_the_limits() -> None:
    truth = np.zeros(200, dtype=int)
    predicted = np.repeat(np.arange(10) < 3, 20).astype(int)
    groups = [f"patient {i // 20}" for i in range(200)]
    cells, _ = score_intervals(truth, predicted, 2)
    patients, _ = score_intervals(truth, predicted, 2, groups=groups)
    assert patients["accuracy"].low < cells["accuracy"].low - 0.1
    assert patients["accuracy"].method == "Clopper-Pearson, effective number"


def test_all_right_in_few_groups_is_less_certain_than_in_many_cells() -> None:
    truth = [0, 1] * 300
    groups = [f"patient {i // 50}" for i in range(600)]
    overall, by_class = score_intervals(truth, truth, 2, groups=groups)
    exact = clopper_pearson(12, 12)
    for interval in (overall["accuracy"], by_class[0]["recall"], by_class[1]["precision"]):
        assert interval.low == pytest.approx(exact.low)
        assert (interval.estimate, interval.high) == (1, 1)
    assert overall["macro_recall"].low == pytest.approx(exact.low)
    cells, _ = score_intervals(truth, truth, 2)
    assert cells["accuracy"] == clopper_pearson(600, 600)
    alone, _ = score_intervals(truth, truth, 2, groups=list(map(str, range(600))))
    assert alone["accuracy"] == clopper_pearson(600, 600)


@pytest.mark.parametrize("wrong", [0, 1, 5])
def test_small_classes_keep_macro_scores_unsure_whatever_is_wrong_elsewhere(wrong: int) -> None:
    truth = [0] * 3 + [1] * 3 + [2] * 100
    predicted = [*truth[:6], *[3] * wrong, *truth[6 + wrong :]]
    overall, _ = score_intervals(truth, predicted, 4)
    for name in ("macro_f1", "balanced_accuracy", "macro_precision"):
        assert 0.55 < overall[name].low < 0.75 < overall[name].estimate <= overall[name].high <= 1
    again, _ = score_intervals(truth, predicted, 4)
    assert again == overall


def test_limits_hold_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(0)
    mix, recall = np.array([0.05, 0.25, 0.7]), np.array([0.8, 0.9, 0.97])
    accuracy = mix @ recall
    precision = mix[1] * recall[1] / (mix[1] * recall[1] + mix[[0, 2]] @ (1 - recall[[0, 2]]) / 2)
    held = np.zeros(3)
    for seed in range(100):
        truth = rng.choice(3, 60, p=mix)
        other = (truth + rng.integers(1, 3, 60)) % 3
        predicted = np.where(rng.random(60) < recall[truth], truth, other)
        overall, by_class = score_intervals(truth, predicted, 3, draws=100, seed=seed)
        balanced = recall[np.unique(truth)].mean()
        for place, (found, wanted) in enumerate(
            (
                (overall["accuracy"], accuracy),
                (overall["balanced_accuracy"], balanced),
                (by_class[1]["precision"], precision),
            )
        ):
            held[place] += found.low <= wanted <= found.high
    assert (held >= 93).all()


def test_classes_that_go_wrong_in_the_same_patients_make_macro_scores_less_sure() -> None:
    truth = np.tile([0, 1], 120)
    groups = [f"patient {i // 20}" for i in range(240)]
    patient = np.arange(240) // 20
    shared = np.where(patient < 4, 1 - truth, truth)
    apart = np.where(np.where(truth == 0, patient < 4, patient >= 8), 1 - truth, truth)
    one, other = (score_intervals(truth, p, 2, groups=groups)[0] for p in (shared, apart))
    assert one["macro_recall"].estimate == other["macro_recall"].estimate
    assert one["macro_recall"].low < other["macro_recall"].low - 0.05


def test_a_second_group_of_one_cell_says_little_more_than_the_first() -> None:
    truth, predicted = [0] * 50 + [1] * 50, [0] * 45 + [1] * 55
    for groups in (["p"] * 100, ["p"] * 99 + ["q"]):
        overall, by_class = score_intervals(truth, predicted, 2, groups=groups)
        for interval in (overall["accuracy"], overall["macro_f1"], by_class[0]["recall"]):
            assert interval.low < 0.1 and interval.high > 0.95
