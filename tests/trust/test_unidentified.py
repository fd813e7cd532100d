from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from hemashift.errors import HemashiftError
from hemashift.evaluation.intervals import clopper_pearson
from hemashift.trust.calibration import Calibration
from hemashift.trust.unidentified import LEVEL, cells_needed, keep_rule


def with_errors(right: list[bool]) -> Calibration:
    """Cells of two classes, each a little less sure than the one before."""
    sure = np.linspace(0.99, 0.6, len(right))
    return Calibration.of(np.stack([sure, 1 - sure], axis=1), np.where(right, 0, 1))


def test_a_promise_is_broken_no_more_often_than_stated(answers: Callable[..., tuple]) -> None:
    fresh, truth = answers(4000, 99)
    wrong = fresh.argmax(axis=1) != truth
    broken, given = 0, 0
    for seed in range(200):
        rule = keep_rule(Calibration.of(*answers(150, seed)), 0.1)
        given += rule.promised
        broken += rule.promised and wrong[fresh.max(axis=1) >= rule.threshold].mean() > 0.1
    assert given > 100, "150 cells are enough for most draws"
    assert broken <= 200 * (1 - LEVEL)


def test_the_limit_is_that_of_clopper_and_pearson() -> None:
    right = [True] * 120
    for place in (50, 55, 60):
        right[place] = False
    certainty = with_errors(right).probabilities.max(axis=1)
    for rate in (0.05, 0.1, 0.2):
        rule = keep_rule(with_errors(right), rate)
        kept = int((certainty >= rule.threshold).sum())
        limits = [
            clopper_pearson(right[:count].count(False), count, 2 * LEVEL - 1).high
            for count in range(cells_needed(rate), 121)
        ]
        held = next((k for k, limit in enumerate(limits) if limit > rate), len(limits))
        assert rule.promised and kept == cells_needed(rate) + held - 1


def test_the_search_ends_at_the_first_failure() -> None:
    """A lucky stretch behind a bad one proves nothing, after so many looks."""
    right = [True] * 20 + [False] + [True] * 300
    assert cells_needed(0.1) == 22
    rule = keep_rule(with_errors(right), 0.1)
    assert not rule.promised
    assert clopper_pearson(1, 321, 2 * LEVEL - 1).high < 0.1


def test_too_few_cells_are_told(known: Calibration) -> None:
    rule = keep_rule(with_errors([True] * 30), 0.05)
    assert not rule.promised
    assert rule.threshold == pytest.approx(0.95)
    assert "cannot be promised by 30 labelled cells: it takes 45 or more" in str(rule)
    promised = keep_rule(with_errors([True] * 60), 0.05)
    assert "promised with 90% confidence by 60 labelled cells" in str(promised)


def test_heavier_mistakes_count_for_more() -> None:
    right = [True] * 59 + [False]
    even = with_errors(right)
    heavy = Calibration(even.probabilities, even.targets, np.where(right, 0.5, 30.5))
    lowest = even.probabilities.max(axis=1).min()
    assert keep_rule(even, 0.1).threshold == pytest.approx(lowest)
    assert keep_rule(heavy, 0.1).threshold > lowest


@pytest.mark.parametrize("rate", [0, 1, -0.1, 5, float("nan")])
def test_a_rate_that_is_none(known: Calibration, rate: float) -> None:
    with pytest.raises(HemashiftError, match="between 0 and 1"):
        keep_rule(known, rate)


def test_equal_probabilities_are_kept_together() -> None:
    """45 right cells prove 5 %, but not if 15 wrong ones are as sure."""
    sure = np.full(60, 0.99)
    targets = np.where(np.arange(60) < 45, 0, 1)
    tied = Calibration.of(np.stack([sure, 1 - sure], axis=1), targets)
    assert not keep_rule(tied, 0.05).promised
    assert keep_rule(tied, 0.4).threshold == pytest.approx(0.99)
