"""An evaluation refuses what is no prediction and computes what follows from one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hemashift.errors import TableError
from hemashift.evaluation import Evaluation

CLASSES = ("eosinophil", "lymphocyte", "monocyte")


def make(n: int = 300, seed: int = 0, **options: Any) -> Evaluation:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 3, n)
    weights = np.exp(rng.normal(size=(n, 3)) + 2 * np.eye(3)[truth])
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return Evaluation(CLASSES, truth, probabilities, **options)


def test_scores_follow_from_the_predictions() -> None:
    result = make()
    assert result.overall["accuracy"].estimate == np.mean(result.y_true == result.y_pred)
    assert result.confusion.sum() == len(result) == 300
    assert [c.support for c in result.per_class] == result.confusion.sum(axis=1).tolist()
    assert result.average_precision_recall.area == pytest.approx(
        np.mean([c.average_precision for c in result.per_class])
    )
    names = {"ece", "ece_equal_mass", "ece_by_chance", "brier", "nll"}
    assert set(result.calibration) == names
    assert result.risk_coverage.risk[-1] == pytest.approx(1 - result.overall["accuracy"].estimate)
    assert result.reliability.count.sum() == 300
    assert result.warnings == ()


def test_mistakes_come_surest_first_with_the_rank_of_the_truth() -> None:
    result = make()
    mistakes = result.mistakes()
    sure = [one.confidence for one in mistakes]
    assert sure == sorted(sure, reverse=True)
    assert len(mistakes) == (~result.correct).sum()
    assert all(one.truth != one.predicted and one.rank >= 2 for one in mistakes)
    assert result.mistakes(3) == mistakes[:3]


def test_the_label_given_wins_over_the_most_probable_class() -> None:
    result = Evaluation.from_labels(["monocyte"], [[0.1, 0.5, 0.4]], CLASSES, y_pred=np.array([2]))
    assert result.correct.all()
    assert result.certainty.tolist() == [0.4]
    assert any("most probable" in warning for warning in result.warnings)


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ([np.nan, 0.5, 0.5], "not a distribution"),
        ([0.5, 0.5, 0.5], "not a distribution"),
        ([1.5, -0.5, 0.0], "not a distribution"),
        ([0.5, 0.5], "do not fit"),
    ],
)
def test_what_is_no_distribution_is_refused(row: list[float], match: str) -> None:
    with pytest.raises(TableError, match=match):
        Evaluation.from_labels(["monocyte"], [row], CLASSES)


def test_the_bad_cell_is_named() -> None:
    with pytest.raises(TableError, match="cell 2"):
        Evaluation.from_labels(["monocyte"] * 2, [[1, 0, 0], [0.2, 0.2, 0.2]], CLASSES)


def test_probabilities_rounded_to_three_digits_are_accepted() -> None:
    result = Evaluation.from_labels(["monocyte"], [[0.333, 0.333, 0.333]], CLASSES)
    assert len(result) == 1


def test_a_probability_above_one_by_rounding_is_one() -> None:
    result = Evaluation(CLASSES, np.zeros(2, int), np.array([[1.0015, 0.0, 0.0]] * 2))
    assert result.probabilities.max() == 1
    assert result.calibration["ece"] == 0


def test_no_cell_an_unknown_label_and_unequal_lengths_are_refused() -> None:
    with pytest.raises(TableError, match="no cell"):
        Evaluation.from_labels([], np.empty((0, 3)), CLASSES)
    with pytest.raises(TableError, match="artefact"):
        Evaluation.from_labels(["artefact"], [[1, 0, 0]], CLASSES)
    with pytest.raises(TableError, match="length"):
        Evaluation.from_labels(["monocyte"], [[1, 0, 0]] * 2, CLASSES)
    with pytest.raises(TableError, match="length"):
        Evaluation.from_labels(["monocyte"], [[1, 0, 0]], CLASSES, groups=("a", "b"))


def test_one_cell_of_one_class() -> None:
    result = Evaluation.from_labels(["monocyte"], [[0.1, 0.2, 0.7]], CLASSES)
    assert result.overall["macro_f1"].estimate == 1
    assert result.overall["accuracy"].low < 0.05
    assert np.isnan(result.per_class[2].roc_auc)
    assert any("eosinophil, lymphocyte occurs" in warning for warning in result.warnings)
    assert any("monocyte (1)" in warning for warning in result.warnings)


def test_few_groups_are_warned_of() -> None:
    result = make(groups=tuple(f"p{i % 4}" for i in range(300)))
    assert any("from 4 patients or smears" in warning for warning in result.warnings)
    assert result.overall["accuracy"].method == "Clopper-Pearson, effective number"
    assert make(groups=tuple(f"p{i % 5}" for i in range(300))).warnings == ()
    alone = make(groups=tuple(map(str, range(300))))
    assert alone.groups is None
    assert alone.overall == make().overall


def test_one_group_is_named_as_one() -> None:
    said = make(groups=("p",) * 300).warnings
    assert "from 1 patient or smear: how far others differ is not known." in said[-1]
