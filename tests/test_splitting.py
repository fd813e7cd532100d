from __future__ import annotations

import numpy as np
import pytest

from hemashift.splitting import allocate


def test_single_cells_are_shared_out_exactly() -> None:
    strata = np.repeat([0, 1, 2], [70, 20, 10])
    part = allocate(np.arange(100), strata, (0.8, 0.2), seed=1)
    assert [int((part[strata == s] == 1).sum()) for s in range(3)] == [14, 4, 2]


@pytest.mark.parametrize("seed", range(10))
def test_groups_of_any_size_stay_whole(seed: int) -> None:
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 30, 400)
    strata = rng.integers(0, 4, 400)
    part = allocate(groups, strata, (1 / 3,) * 3, seed)
    for group in np.unique(groups):
        assert len(np.unique(part[groups == group])) == 1
    assert np.ptp(np.bincount(part, minlength=3)) < 60


def test_rare_classes_do_not_all_fall_into_one_part() -> None:
    part = allocate(np.arange(8), np.arange(8), (0.25,) * 4, seed=0)
    assert np.bincount(part).tolist() == [2, 2, 2, 2]


def test_no_rows() -> None:
    empty = np.zeros(0, dtype=np.int64)
    assert len(allocate(empty, empty, (0.5, 0.5), 0)) == 0


def test_the_draw_is_random() -> None:
    parts = {tuple(allocate(np.arange(10), None, (0.5, 0.5), seed)) for seed in range(10)}
    assert len(parts) > 5
