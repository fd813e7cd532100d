from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from hemashift.errors import HemashiftError
from hemashift.trust.calibration import Calibration
from hemashift.trust.conformal import least_probabilities, prediction_sets

from .conftest import MIX


@pytest.mark.parametrize("coverage", [0.9, 0.95])
@pytest.mark.parametrize("labels", [30, 100])
def test_the_coverage_holds_on_average_over_draws(
    answers: Callable[..., tuple], coverage: float, labels: int
) -> None:
    fresh, truth = answers(3000, 99)
    found = []
    for seed in range(40):
        least = least_probabilities(Calibration.of(*answers(labels, seed)), coverage)
        found.append(prediction_sets(fresh, least)[np.arange(len(truth)), truth].mean())
    assert coverage - 0.02 < np.mean(found) < coverage + 0.05


def test_many_cells_of_a_class_give_it_its_own_limit(answers: Callable[..., tuple]) -> None:
    """With one limit for all, the rare class would be covered far less than asked for."""
    fresh, truth = answers(6000, 98)
    known = Calibration.of(*answers(6000, 97))
    inside = prediction_sets(fresh, least_probabilities(known, 0.9))
    covered = [inside[truth == number, number].mean() for number in range(3)]
    scores = 1 - known.probabilities[np.arange(len(known)), known.targets]
    pooled = prediction_sets(fresh, np.full(3, 1 - np.quantile(scores, 0.9)))
    assert pooled[truth == 2, 2].mean() < 0.6
    assert min(covered) > 0.86


def test_more_coverage_means_larger_sets_and_none_is_empty(
    answers: Callable[..., tuple], known: Calibration
) -> None:
    fresh, _ = answers(500, 5)
    sizes = [
        prediction_sets(fresh, least_probabilities(known, coverage)).sum(axis=1)
        for coverage in (0.5, 0.8, 0.9, 0.95)
    ]
    assert min(size.min() for size in sizes) == 1
    assert all((more >= less).all() for less, more in pairwise(sizes))


def test_another_class_mix_is_covered_by_moved_cells(answers: Callable[..., tuple]) -> None:
    other = np.array([0.15, 0.15, 0.7])
    fresh, truth = answers(4000, 6, other)
    known = Calibration.of(*answers(400, 7))
    as_labelled = prediction_sets(fresh, least_probabilities(known, 0.9))
    corrected = fresh * other / MIX
    corrected /= corrected.sum(axis=1, keepdims=True)
    moved = prediction_sets(corrected, least_probabilities(known.moved(other), 0.9))
    rows = np.arange(len(truth))
    assert as_labelled[rows, truth].mean() < 0.85
    assert 0.87 < moved[rows, truth].mean() < 0.95


def test_too_few_cells_and_no_share(known: Calibration) -> None:
    few = Calibration.of(np.full((8, 2), 0.5), np.zeros(8, np.int64))
    with pytest.raises(HemashiftError, match=r"0\.9 need more labelled cells") as raised:
        least_probabilities(few, 0.9)
    assert raised.value.expected == "9 or more"
    assert raised.value.hint is not None and "0.88 or less" in raised.value.hint
    least_probabilities(few, 0.88)
    for coverage in (0, 1, 1.2, -0.1, float("nan")):
        with pytest.raises(HemashiftError, match="between 0 and 1"):
            least_probabilities(known, coverage)


@pytest.mark.parametrize("count", [9, 10])
def test_the_cell_to_come_counts(count: int) -> None:
    """At 0.9 the quantile is the ninth of 9 + 1 cells, the tenth of 10 + 1: the largest score."""
    right = np.linspace(0.95, 0.55, count)
    known = Calibration.of(np.stack([right, 1 - right], axis=1), np.zeros(count, np.int64))
    assert least_probabilities(known, 0.9)[0] == pytest.approx(0.55)
