"""Drawing counts is the same as drawing cells, and respects strata and groups."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_confusions
from hemashift.evaluation.metrics import accuracy, confusion_matrix, macro_f1


def test_draws_spread_like_resampled_cells() -> None:
    rng = np.random.default_rng(0)
    truth = rng.choice(3, 150, p=[0.2, 0.3, 0.5])
    predicted = np.where(rng.random(150) < 0.25, rng.integers(0, 3, 150), truth)
    confusion = confusion_matrix(truth, predicted, 3)
    by_counts = macro_f1(bootstrap_confusions(confusion, draws=4000, seed=1))
    cells = [rng.integers(0, 150, 150) for _ in range(4000)]
    by_cells = [macro_f1(confusion_matrix(truth[i], predicted[i], 3)) for i in cells]
    np.testing.assert_allclose(
        np.quantile(by_counts, [0.025, 0.5, 0.975]),
        np.quantile(by_cells, [0.025, 0.5, 0.975]),
        atol=0.012,
    )


def test_stratified_draws_keep_the_class_counts_plain_ones_do_not() -> None:
    confusion = np.array([[5, 1, 0], [0, 0, 0], [2, 0, 30]])
    stratified = bootstrap_confusions(confusion, draws=50, scheme="stratified")
    assert (stratified.sum(axis=2) == confusion.sum(axis=1)).all()
    plain = bootstrap_confusions(confusion, draws=50)
    assert (plain.sum(axis=(1, 2)) == confusion.sum()).all()
    assert len(np.unique(plain.sum(axis=2)[:, 0])) > 1


def test_the_seed_decides() -> None:
    confusion = [[5, 1], [2, 30]]
    first = bootstrap_confusions(confusion, draws=20, seed=3)
    assert (first == bootstrap_confusions(confusion, draws=20, seed=3)).all()
    assert (first != bootstrap_confusions(confusion, draws=20, seed=4)).any()


def test_groups_that_fail_together_widen_the_spread() -> None:
    truth = np.zeros(200, dtype=int)
    predicted = np.repeat(np.arange(10) < 3, 20).astype(int)
    groups = [f"patient {i // 20}" for i in range(200)]
    cells = accuracy(bootstrap_confusions(confusion_matrix(truth, predicted, 2)))
    patients = accuracy(bootstrap_grouped_confusions(truth, predicted, groups, 2))
    assert patients.mean() == pytest.approx(0.7, abs=0.02)
    assert patients.std() == pytest.approx(np.sqrt(0.21 / 10), rel=0.1)
    assert patients.std() > 3 * cells.std()


def test_whole_groups_are_drawn() -> None:
    drawn = bootstrap_grouped_confusions([0, 0, 0, 1], [0, 0, 0, 1], ["a", "a", "a", "b"], 2)
    assert set(drawn[:, 0, 0].tolist()) == {0, 3, 6}


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one cell"):
        bootstrap_confusions(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="groups"):
        bootstrap_grouped_confusions([0, 1], [0, 1], ["a"], 2)
