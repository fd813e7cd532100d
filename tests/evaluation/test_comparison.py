"""Paired tests agree with SciPy and with worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from hemashift.evaluation.comparison import holm, mcnemar_exact, paired_difference, wilcoxon
from hemashift.evaluation.metrics import accuracy, macro_recall


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
    gain = paired_difference(truth, first, second, 3, accuracy, groups=groups)
    assert gain.estimate == pytest.approx(np.mean(second == truth) - np.mean(first == truth))
    assert 0 < gain.low < gain.estimate < gain.high
    unpaired = 2 * 1.96 * np.sqrt(2 * 0.7 * 0.3 / 300)
    assert gain.high - gain.low < unpaired


def test_the_difference_has_a_direction() -> None:
    truth = np.array([0, 1] * 30)
    worse = np.zeros(60, dtype=int)
    assert paired_difference(truth, truth, worse, 2, macro_recall).estimate == -0.5
    same = paired_difference(truth, worse, worse, 2, macro_recall)
    assert (same.estimate, same.low, same.high) == (0, 0, 0)
