from __future__ import annotations

import numpy as np
import pytest

from hemashift.adaptation.folds import folds


def cells(seed: int, count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    groups = rng.choice([f"g{i}" for i in range(count // 2)], count)
    targets = np.array([int(name[1:]) % 4 for name in groups])
    return targets, groups


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("count", [2, 3, 5])
def test_every_cell_is_held_out_once_and_groups_stay_whole(seed: int, count: int) -> None:
    targets, groups = cells(seed)
    parts = folds(targets, groups, count, seed)
    assert len(parts) == count
    held_out = np.concatenate([held for _, held in parts])
    assert sorted(held_out) == list(range(len(targets)))
    for fit, held in parts:
        assert len(held)
        assert sorted([*fit, *held]) == list(range(len(targets)))
        assert not set(groups[fit]) & set(groups[held])


def test_the_seed_decides() -> None:
    targets, groups = cells(0)
    first, again, other = (folds(targets, groups, 3, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a[1], b[1]) for a, b in zip(first, again, strict=True))
    assert any(not np.array_equal(a[1], b[1]) for a, b in zip(first, other, strict=True))


def test_classes_are_spread_over_the_folds() -> None:
    targets = np.repeat([0, 1, 2], [10, 6, 3])
    parts = folds(targets, np.arange(19).astype(str), 3, 0)
    counts = np.array([np.bincount(targets[held], minlength=3) for _, held in parts])
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    assert counts.sum(axis=1).max() - counts.sum(axis=1).min() <= 1


def test_fewer_groups_than_folds() -> None:
    groups = np.array(["a", "a", "b", "b"])
    assert len(folds(np.array([0, 1, 0, 1]), groups, 5, 0)) == 2


def test_a_single_group_leaves_nothing_to_fit() -> None:
    ((fit, held),) = folds(np.array([0, 1]), np.array(["a", "a"]), 3, 0)
    assert len(fit) == 0
    assert held.tolist() == [0, 1]


def test_a_single_cell_of_a_class_is_held_out_too() -> None:
    targets = np.array([0, 0, 0, 0, 1])
    parts = folds(targets, np.array(list("abcde")), 2, 0)
    assert sum(1 not in targets[fit] for fit, _ in parts) == 1
