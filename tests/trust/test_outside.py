from __future__ import annotations

import numpy as np
import pytest

from hemashift.model.heads import Encoded
from hemashift.trust.outside import KEPT, Outside
from hemashift.trust.spread import Spread

WIDTH = 64


def encoded(count: int, classes: tuple[int, ...] = (0, 1), seed: int = 0) -> Encoded:
    """Cells that point in the direction of their class, of any length."""
    rng = np.random.default_rng(seed)
    targets = np.resize(classes, count)
    vectors = np.eye(WIDTH)[targets] + rng.normal(0, 0.07, (count, WIDTH))
    vectors *= rng.uniform(1, 9, (count, 1))
    return Encoded(vectors.astype(np.float32), vectors[:, :4].astype(np.float32))


def parts(count: int, folds: int = 5) -> list[tuple[np.ndarray, np.ndarray]]:
    fold = np.arange(count) // 2 % folds
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(folds)]


@pytest.mark.parametrize("labels", [40, 100])
def test_known_cells_are_kept_and_others_are_not(labels: int) -> None:
    targets = np.resize((0, 1), labels)
    kept = []
    for seed in range(10):
        found = Outside.fit(encoded(labels, seed=seed), targets, parts(labels))
        kept.append((found.scores(encoded(400, seed=100 + seed)) <= 1).mean())
        assert (found.scores(encoded(200, (7,), seed=seed)) > 1).all()
    assert KEPT - 0.03 < np.mean(kept) <= 1


def test_the_threshold_comes_from_cells_that_were_held_out() -> None:
    cells, targets = encoded(40), np.resize((0, 1), 40)
    found = Outside.fit(cells, targets, parts(40))
    own = found.scores(cells)
    assert (own < 1).mean() > 0.95, "cells that it was fitted to are nearer"
    assert own.dtype == np.float32 and own.shape == (40,)


def long(count: int, seed: int, shift: float = 0.0) -> Encoded:
    """Cells of the first class that differ most in ten directions; shifted along another."""
    rng = np.random.default_rng([seed, 9])
    vectors = np.eye(WIDTH)[[0] * count] + rng.normal(0, 0.05, (count, WIDTH))
    vectors[:, 20:30] += rng.normal(0, 0.4, (count, 10))
    vectors[:, 5] += shift
    return Encoded(vectors.astype(np.float32), vectors[:, :4].astype(np.float32))


def test_a_source_helps_where_labels_are_few() -> None:
    """Six cells cannot tell in which directions known cells differ, a source of 600 can."""
    targets = np.zeros(600, np.int64)
    source = Outside.fit(long(600, 1), targets, parts(600)).spread
    known, odd = long(300, 4), long(300, 3, shift=0.4)

    def confused(outside: Outside) -> float:
        return float((outside.scores(odd)[:, None] <= outside.scores(known)[None, :]).mean())

    few = long(6, 2)
    alone = Outside.fit(few, targets[:6], parts(6, 3))
    helped = Outside.fit(few, targets[:6], parts(6, 3), source)
    assert confused(alone) > 0.2
    assert confused(helped) < 0.05


def test_one_fold_with_nothing_to_fit() -> None:
    cells, targets = encoded(4), np.resize((0, 1), 4)
    nothing = [(np.empty(0, np.int64), np.arange(4))]
    found = Outside.fit(cells, targets, nothing, Spread.within(cells.features, targets))
    assert np.isfinite(found.scores(cells)).all()


def test_no_cell_gives_no_score() -> None:
    found = Outside.fit(encoded(20), np.resize((0, 1), 20), parts(20))
    assert found.scores(encoded(0)).shape == (0,)


def test_evidence_of_the_source_stretches_the_distance() -> None:
    """Cells a little to one side, which the distance alone keeps, are told by their direction."""
    targets = np.resize((0, 1), 100)
    near = encoded(100, seed=3)
    vectors = near.features / np.linalg.norm(near.features, axis=1, keepdims=True)
    vectors[:, 9] += 0.15
    strange = Encoded(vectors.astype(np.float32), near.embedding)
    direction = 60.0 * np.eye(WIDTH)[9]
    plain = Outside.fit(encoded(100), targets, parts(100))
    warned = Outside.fit(encoded(100), targets, parts(100), others=direction)
    assert (plain.scores(strange) > 1).mean() < (warned.scores(strange) > 1).mean() - 0.2
    assert (warned.scores(encoded(400, seed=8)) <= 1).mean() > KEPT - 0.05


def test_strangers_of_the_laboratory_teach_what_is_outside() -> None:
    """Cells a little to one side, which the distance alone keeps; some of them are labelled."""
    rng = np.random.default_rng(5)

    def sideways(count: int, seed: int) -> Encoded:
        near = encoded(count, seed=seed)
        vectors = near.features / np.linalg.norm(near.features, axis=1, keepdims=True)
        vectors[:, 9] += 0.15 + rng.normal(0, 0.02, count)
        return Encoded(vectors.astype(np.float32), near.embedding)

    targets = np.resize((0, 1), 100)
    plain = Outside.fit(encoded(100), targets, parts(100))
    taught = Outside.fit(encoded(100), targets, parts(100), strangers=sideways(10, 3))
    both = Outside.fit(
        encoded(100), targets, parts(100), others=np.eye(WIDTH)[3], strangers=sideways(10, 3)
    )
    known, strange = encoded(400, seed=8), sideways(100, 4)

    def mistaken(found: Outside) -> float:
        """The share of pairs of which the known cell looks stranger."""
        return float((found.scores(strange)[:, None] <= found.scores(known)[None, :]).mean())

    for found in (taught, both):
        assert mistaken(found) < mistaken(plain) - 0.15
        assert (found.scores(known) <= 1).mean() > KEPT - 0.05


def test_one_stranger_is_enough_and_none_changes_nothing() -> None:
    targets = np.resize((0, 1), 40)
    plain = Outside.fit(encoded(40), targets, parts(40))
    one = Outside.fit(encoded(40), targets, parts(40), strangers=encoded(1, (7,)))
    assert plain.evidence is None and one.evidence is not None
    assert (one.scores(encoded(200, (7,))) > 1).all()


def beside(count: int, seed: int) -> Encoded:
    """Cells a little to one side of the classes, which the distance alone keeps."""
    rng = np.random.default_rng([seed, 4])
    near = encoded(count, seed=seed)
    vectors = near.features / np.linalg.norm(near.features, axis=1, keepdims=True)
    vectors[:, 9] += 0.15 + rng.normal(0, 0.02, count)
    return Encoded(vectors.astype(np.float32), near.embedding)


def joined(*cells: Encoded) -> Encoded:
    return Encoded(
        np.concatenate([one.features for one in cells]),
        np.concatenate([one.embedding for one in cells]),
    )


def test_strangers_among_unlabelled_cells_are_told() -> None:
    """No stranger is labelled; that not all unlabelled cells are like the labelled is enough."""
    targets = np.resize((0, 1), 60)
    plain = Outside.fit(encoded(60), targets, parts(60))
    pool = joined(encoded(100, seed=2), beside(100, 3))
    warned = Outside.fit(encoded(60), targets, parts(60), unlabelled=pool)
    known, strange = encoded(400, seed=8), beside(200, 4)

    def mistaken(found: Outside) -> float:
        return float((found.scores(strange)[:, None] <= found.scores(known)[None, :]).mean())

    assert mistaken(warned) < mistaken(plain) - 0.1
    assert (warned.scores(known) <= 1).mean() > KEPT - 0.05


@pytest.mark.parametrize("mix", [(0, 1), (0, 0, 0, 0, 0, 1)], ids=["same mix", "another mix"])
def test_unlabelled_cells_of_the_classes_change_little(mix: tuple[int, ...]) -> None:
    kept = {False: [], True: []}
    for seed in range(8):
        targets = np.resize((0, 1), 60)
        cells, pool = encoded(60, seed=seed), encoded(120, mix, seed=50 + seed)
        for told in (False, True):
            found = Outside.fit(cells, targets, parts(60), unlabelled=pool if told else None)
            # Cells of the pool and cells to come alike.
            kept[told].append((found.scores(pool) <= 1).mean())
            kept[told].append((found.scores(encoded(300, mix, seed=90 + seed)) <= 1).mean())
    assert np.mean(kept[True]) > KEPT - 0.02
    assert abs(np.mean(kept[True]) - np.mean(kept[False])) < 0.02


def test_few_unlabelled_cells_or_none_say_nothing() -> None:
    targets = np.resize((0, 1), 40)
    plain = Outside.fit(encoded(40), targets, parts(40))
    for count in (0, 4):
        found = Outside.fit(encoded(40), targets, parts(40), unlabelled=beside(count, 1))
        assert found.evidence is None
        assert found.threshold == plain.threshold


def test_that_no_class_speaks_for_a_cell_counts() -> None:
    """Cells half-way between two classes, which are no further from each than its own cells."""

    def wide(count: int, seed: int, level: float = 1.0) -> Encoded:
        noise = np.random.default_rng([seed, 8]).normal(0, 0.4, (count, WIDTH - 2))
        sides = np.resize((0, 1), count)
        vectors = np.hstack([np.eye(2)[sides] * level + (1 - level) / 2, noise])
        return Encoded(vectors.astype(np.float32), vectors[:, :4].astype(np.float32))

    targets = np.resize((0, 1), 60)
    plain = Outside.fit(wide(60, 1), targets, parts(60))
    told = Outside.fit(wide(60, 1), targets, parts(60), towards=np.zeros((2, WIDTH)))
    known, between = wide(300, 2), wide(300, 3, level=0.2)

    def mistaken(found: Outside) -> float:
        return float((found.scores(between)[:, None] <= found.scores(known)[None, :]).mean())

    assert plain.undecided is None and told.undecided is not None
    assert mistaken(told) < mistaken(plain) - 0.02
    assert (told.scores(known) <= 1).mean() > KEPT - 0.05
