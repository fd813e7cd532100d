"""Paired tests agree with SciPy and with worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hemashift.evaluation.comparison import holm, mcnemar_exact, paired_difference, wilcoxon
from hemashift.evaluation.intervals import clopper_pearson


def test_wilcoxon_is_scipys() -> None:
    rng = np.random.default_rng(0)
    before = rng.random(12)
    after = before + rng.normal(0.05, 0.1, 12)
    expected = stats.wilcoxon(after, before)
    result = wilcoxon(before, after)
    assert (result.statistic, result.p_value) == (expected.statistic, expected.pvalue)


def test_wilcoxon_drops_equal_pairs() -> None:
    before = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7])
    after = before + np.array([0, 0.01, 0.02, -0.03, 0.04, 0.05, 0.06])
    result = wilcoxon(before, after)
    assert result.n == 6
    assert result.p_value == wilcoxon(before[1:], after[1:]).p_value


def test_wilcoxon_without_any_difference_is_not_significant() -> None:
    result = wilcoxon([0.5, 0.6], [0.5, 0.6])
    assert (result.n, result.p_value) == (0, 1.0)


@pytest.mark.parametrize(("before", "after"), [([0.1], [0.1, 0.2]), ([], []), ([np.nan], [1])])
def test_wilcoxon_refuses_bad_pairs(before: list[float], after: list[float]) -> None:
    with pytest.raises(ValueError):
        wilcoxon(before, after)


def test_mcnemar_is_the_binomial_test() -> None:
    first = np.array([1] * 70 + [1] * 4 + [0] * 15 + [0] * 11, dtype=bool)
    second = np.array([1] * 70 + [0] * 4 + [1] * 15 + [0] * 11, dtype=bool)
    result = mcnemar_exact(first, second)
    assert result.n == 19
    assert result.p_value == pytest.approx(2 * stats.binom.cdf(4, 19, 0.5))
    assert mcnemar_exact(first, first).p_value == 1.0


def test_holm_by_hand_and_in_order() -> None:
    np.testing.assert_allclose(holm([0.04, 0.01, 0.6, 0.02]), [0.08, 0.04, 0.6, 0.06], rtol=1e-12)
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    with pytest.raises(ValueError):
        holm([0.1, np.nan])


@pytest.mark.parametrize("groups", [None, [f"p{i // 5}" for i in range(300)]])
def test_pairing_makes_the_difference_surer(groups: list[str] | None) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, 300)
    first = np.where(rng.random(300) < 0.3, (truth + 1) % 3, truth)
    second = np.where((first != truth) & (rng.random(300) < 0.4), truth, first)
    gain = paired_difference(truth, first, second, 3, "accuracy", groups=groups)
    assert gain.estimate == pytest.approx(np.mean(second == truth) - np.mean(first == truth))
    assert 0 < gain.low < gain.estimate < gain.high
    unpaired = 2 * 1.96 * np.sqrt(2 * 0.7 * 0.3 / 300)
    assert gain.high - gain.low < unpaired


def test_the_difference_has_a_direction() -> None:
    truth = np.array([0, 1] * 30)
    worse = np.zeros(60, dtype=int)
    assert paired_difference(truth, truth, worse, 2, "macro_recall").estimate == -0.5


@pytest.mark.parametrize("score", ["accuracy", "macro_f1", "balanced_accuracy"])
def test_a_difference_in_few_cells_is_never_certain(score: str) -> None:
    truth = np.array([0, 1] * 6)
    gain = paired_difference(truth, 1 - truth, truth, 2, score)
    assert (gain.estimate, gain.high) == (1, 1)
    assert 0.4 < gain.low < 0.7
    doubtful = np.where(np.arange(12) < 2, 1 - truth, truth)
    same = paired_difference(truth, doubtful, doubtful, 2, score)
    assert same.estimate == 0
    assert -0.4 < same.low < -0.05 and 0.05 < same.high < 0.4


def test_limits_of_a_difference_are_those_of_newcombe() -> None:
    """His correlation with its correction for continuity, with exact limits for Wilson's."""
    both, gained, lost, neither = 30, 12, 4, 14
    counts = [both, gained, lost, neither]
    truth = np.zeros(60, int)
    first, second = np.repeat([0, 1, 0, 1], counts), np.repeat([0, 0, 1, 1], counts)
    found = paired_difference(truth, first, second, 2, "accuracy", draws=20_000)
    one, other = clopper_pearson(34, 60), clopper_pearson(42, 60)
    phi = (both * neither - gained * lost - 30) / np.sqrt(34 * 26 * 42 * 18)
    below, above = other.estimate - other.low, one.high - one.estimate
    expected = 8 / 60 - np.sqrt(below**2 + above**2 - 2 * phi * below * above)
    assert found.low == pytest.approx(expected, abs=0.003)


def test_limits_of_a_difference_hold_the_truth_as_often_as_stated() -> None:
    rng = np.random.default_rng(0)
    truth = np.zeros(30, int)
    held = 0
    for seed in range(100):
        chance = rng.random(30)
        first = (chance < 0.03).astype(int)
        second = ((chance >= 0.03) & (chance < 0.04)).astype(int)
        found = paired_difference(truth, first, second, 2, "accuracy", draws=100, seed=seed)
        held += found.low <= 0.02 <= found.high
    assert held >= 95


def test_wilcoxon_sees_ties_through_the_last_bit() -> None:
    before = np.array([0.70, 0.31, 0.75, 0.60, 0.90, 0.55, 0.13, 0.85])
    steps = np.array([1, 3, 3, 1, -3, 3, -1, 2])
    after = np.round(before + steps / 100, 2)
    assert len(set(np.abs(after - before))) > 3
    expected = stats.wilcoxon(steps.astype(float))
    found = wilcoxon(before, after)
    assert (found.statistic, found.p_value) == (expected.statistic, expected.pvalue)
