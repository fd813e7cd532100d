"""Quotas are even and nested; walks end where the last class is full, as probability says."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hemashift.studies.sample_size.oracle import balanced_quotas, walk_to_balance


def test_labels_are_shared_evenly_as_far_as_cells_go() -> None:
    assert balanced_quotas([50, 50, 50], 30).tolist() == [10, 10, 10]
    assert balanced_quotas([50, 50, 50], 31).tolist() == [11, 10, 10]
    assert balanced_quotas([50, 2, 50], 30).tolist() == [14, 2, 14]
    assert balanced_quotas([3, 0, 1], 30).tolist() == [3, 0, 1]


def test_more_labels_never_take_a_cell_away() -> None:
    available = [40, 3, 11, 0, 25]
    quotas = np.array([balanced_quotas(available, n) for n in range(90)])
    assert (np.diff(quotas, axis=0) >= 0).all()
    assert (quotas.sum(axis=1) == np.minimum(np.arange(90), 79)).all()


def test_the_first_cells_of_each_class_are_kept_and_everything_before_them_counted() -> None:
    walk = walk_to_balance([2, 0, 0, 2, 0, 1, 2, 1], 6)
    assert walk.kept.tolist() == [0, 1, 2, 3, 5, 7]
    assert walk.looked_at == 8


def test_small_samples_are_the_beginning_of_large_ones() -> None:
    order = np.random.default_rng(0).choice(4, 300, p=[0.7, 0.2, 0.07, 0.03])
    walks = [walk_to_balance(order, n) for n in (10, 30, 60, 100)]
    for small, large in pairwise(walks):
        assert set(small.kept) <= set(large.kept)
        assert small.looked_at <= large.looked_at


def test_cells_looked_at_are_as_many_as_probability_says() -> None:
    """The mean of the negative hypergeometric distribution, q (N + 1) / (m + 1)."""
    # The common class is full long before the rare one, which alone decides.
    cells = np.repeat([0, 1], [950, 50])
    rng = np.random.default_rng(0)
    looked_at = [walk_to_balance(rng.permutation(cells), 20).looked_at for _ in range(800)]
    assert np.mean(looked_at) == pytest.approx(10 * 1001 / 51, rel=0.03)


def test_nothing_is_walked_for_nothing() -> None:
    assert walk_to_balance([0, 1], 0).looked_at == 0
    assert walk_to_balance([], 5).kept.tolist() == []
