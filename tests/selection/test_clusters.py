"""Clusters, typical cells, and batches without two alike."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.selection import clusters
from hemashift.selection.clusters import cluster, diverse_places, typical_places, typicality


def piles(sizes: tuple[int, ...], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    member = np.repeat(np.arange(len(sizes)), sizes)
    places = 10 * np.eye(len(sizes))[member] + rng.normal(0, 0.5, (len(member), len(sizes)))
    return places.astype(np.float32), member


def test_piles_become_clusters() -> None:
    vectors, member = piles((30, 20, 10))
    found = cluster(vectors, 3, seed=1)
    assert all(len(set(found[member == pile])) == 1 for pile in range(3))
    assert len(set(found)) == 3


def test_many_cells_take_mini_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "_MANY", 50)
    vectors, member = piles((300, 200, 100))
    found = cluster(vectors, 3, seed=1)
    assert all(len(set(found[member == pile])) == 1 for pile in range(3))


def test_the_middle_of_a_pile_is_more_typical_than_its_edge() -> None:
    vectors = np.array([[0.0], [0.1], [-0.1], [0.2], [5.0]], np.float32)
    found = typicality(vectors, np.zeros(5, np.int64))
    assert found.argmax() in (0, 1)
    assert found.argmin() == 4


def test_a_lonely_cell_is_typical_of_itself() -> None:
    assert (typicality(np.zeros((2, 1), np.float32), np.array([0, 1])) > 0).all()


def test_each_pile_gives_one_cell_the_largest_first() -> None:
    vectors, member = piles((10, 40, 20))
    chosen = typical_places(vectors, 0, 3, seed=0)
    assert member[[place for place, _ in chosen]].tolist() == [1, 2, 0]
    assert [size for _, size in chosen] == [40, 20, 10]


def test_piles_with_a_label_come_last() -> None:
    vectors, member = piles((10, 40, 20))
    order = np.concatenate([np.flatnonzero(member == 1)[:1], np.flatnonzero(member != 1)])
    chosen = typical_places(vectors[order], 1, 2, seed=0)
    assert member[order][[place for place, _ in chosen]].tolist() == [2, 0]


def test_weights_bring_forward_a_small_pile() -> None:
    vectors, member = piles((10, 40))
    weights = np.where(member == 0, 8.0, 1.0)
    assert member[typical_places(vectors, 0, 2, 0, weights)[0][0]] == 0


def test_a_batch_is_worth_much_and_diverse() -> None:
    vectors, member = piles((6, 6, 6, 20))
    worth = np.where(member == 3, 0.0, 1.0) + 0.01 * np.random.default_rng(0).random(38)
    chosen = diverse_places(vectors, worth, 3, seed=0)
    assert sorted(member[chosen]) == [0, 1, 2]
    assert (np.diff(worth[chosen]) < 0).all()
