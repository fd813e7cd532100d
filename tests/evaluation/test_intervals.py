"""The limits agree with published tables and with SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hemashift.evaluation.intervals import (
    Interval,
    clopper_pearson,
    percentile_interval,
    t_interval,
    weighted_proportion,
)


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [(5, 100, 1.64, 11.28), (10, 200, 2.42, 9.00), (0, 100, 0.0, 3.62), (100, 100, 96.38, 100)],
)
def test_exact_interval_is_the_table_of_ruemke(
    successes: int, n: int, low: float, high: float
) -> None:
    interval = clopper_pearson(successes, n)
    assert 100 * interval.low == pytest.approx(low, abs=0.005)
    assert 100 * interval.high == pytest.approx(high, abs=0.005)


def test_exact_interval_is_the_beta_quantile() -> None:
    interval = clopper_pearson(7, 30, confidence=0.9)
    assert interval.low == pytest.approx(stats.beta.ppf(0.05, 7, 24))
    assert interval.high == pytest.approx(stats.beta.ppf(0.95, 8, 23))


def test_nothing_counted_says_nothing() -> None:
    interval = clopper_pearson(0, 0)
    assert np.isnan(interval.estimate)
    assert (interval.low, interval.high) == (0.0, 1.0)
    assert str(interval) == "not defined"


@pytest.mark.parametrize(("successes", "n"), [(-1, 5), (6, 5)])
def test_impossible_counts_are_refused(successes: int, n: int) -> None:
    with pytest.raises(ValueError, match="successes"):
        clopper_pearson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_confidence_is_a_fraction(confidence: float) -> None:
    with pytest.raises(ValueError, match="confidence"):
        clopper_pearson(1, 2, confidence)


def test_t_interval_is_scipys() -> None:
    values = np.random.default_rng(1).normal(0.9, 0.02, 10)
    low, high = stats.t.interval(0.95, 9, values.mean(), stats.sem(values))
    interval = t_interval(values)
    assert (interval.low, interval.high) == (pytest.approx(low), pytest.approx(high))


def test_one_draw_has_a_mean_but_no_limits() -> None:
    interval = t_interval([0.9])
    assert interval.estimate == 0.9
    assert np.isnan(interval.low)
    assert str(interval) == "0.900"


@pytest.mark.parametrize("values", [[], [0.9, np.nan]])
def test_t_interval_refuses_missing_values(values: list[float]) -> None:
    with pytest.raises(ValueError, match="NaN"):
        t_interval(values)


def test_percentiles_leave_undefined_draws_out() -> None:
    interval = percentile_interval(0.5, [np.nan, *np.linspace(0, 1, 101)], confidence=0.9)
    assert interval == Interval(0.5, pytest.approx(0.05), pytest.approx(0.95), 0.9, "bootstrap")
    assert np.isnan(percentile_interval(0.5, [np.nan]).low)


@pytest.mark.parametrize("right", [0, 1, 45, 50])
def test_a_proportion_with_equal_weights_is_the_exact_one(right: int) -> None:
    found = weighted_proportion(np.arange(50) < right, np.full(50, 2.5))
    exact = clopper_pearson(right, 50)
    assert found.estimate == pytest.approx(exact.estimate)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))


def test_unequal_weights_and_groups_make_a_proportion_less_sure() -> None:
    right = np.arange(40) % 4 != 0
    weights = np.where(np.arange(40) < 8, 10.0, 1.0)
    groups = np.arange(40) // 2
    even, uneven = weighted_proportion(right, np.ones(40)), weighted_proportion(right, weights)
    paired = weighted_proportion(right, weights, groups)
    assert even.estimate == uneven.estimate == paired.estimate == 0.75
    widths = [one.high - one.low for one in (even, uneven, paired)]
    assert widths == sorted(widths) and widths[0] < widths[1] < widths[2]


def test_weighted_limits_hold_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        weights = rng.lognormal(0, 1, 60)
        found = weighted_proportion(rng.random(60) < 0.85, weights)
        held += found.low <= 0.85 <= found.high
    assert held >= 0.93 * 400


@pytest.mark.parametrize(
    "right, weights", [([], []), ([True], [0.0]), ([True], [-1.0]), ([True, False], [1.0])]
)
def test_weights_that_are_none_are_refused(right: list[bool], weights: list[float]) -> None:
    with pytest.raises(ValueError, match="a weight above 0"):
        weighted_proportion(right, weights)


def test_groups_whose_cells_are_not_alike_are_worth_nearly_all_cells() -> None:
    rng = np.random.default_rng(0)
    right = rng.random(600) < 0.7
    groups = np.arange(600) % 20
    apart, together = (
        weighted_proportion(cells, np.ones(600), groups) for cells in (right, groups % 10 < 7)
    )
    exact, whole = clopper_pearson(int(right.sum()), 600), clopper_pearson(14, 20)
    assert apart.high - apart.low < 1.4 * (exact.high - exact.low)
    assert (together.low, together.high) == (
        pytest.approx(whole.low, abs=1e-6),
        pytest.approx(whole.high, abs=1e-6),
    )


def test_one_wrong_cell_does_not_make_groups_much_surer_than_none() -> None:
    groups = np.arange(600) // 50
    none, one = (
        weighted_proportion(np.arange(600) >= wrong, np.ones(600), groups) for wrong in (0, 1)
    )
    assert none.low == pytest.approx(clopper_pearson(12, 12).low)
    assert one.low < 0.9


@pytest.mark.parametrize(("groups", "each"), [(5, 20), (10, 40), (20, 10)])
def test_limits_of_grouped_cells_hold_the_truth_as_often_as_stated(groups: int, each: int) -> None:
    rng = np.random.default_rng(0)
    member = np.repeat(np.arange(groups), each)
    held = 0
    for _ in range(200):
        right = rng.random(len(member)) < rng.beta(9, 1, groups)[member]
        found = weighted_proportion(right, np.ones(len(member)), member)
        held += found.low <= 0.9 <= found.high
    assert held >= 0.93 * 200
