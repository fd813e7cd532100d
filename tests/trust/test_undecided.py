from __future__ import annotations

import numpy as np
import pytest

from hemashift.trust.undecided import Undecided

WIDTH = 20
NOTHING_KNOWN = np.zeros((2, WIDTH))


def cells(targets: np.ndarray, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, 0.1, (len(targets), WIDTH))
    return np.eye(WIDTH)[targets] + noise


def fitted(targets: np.ndarray, towards: np.ndarray = NOTHING_KNOWN) -> Undecided:
    vectors = cells(targets)
    return Undecided.fit(vectors, targets, towards, vectors.mean(axis=0), 0.7)


def test_a_cell_with_little_of_every_class_has_more_energy() -> None:
    found = fitted(np.resize((0, 1), 30))
    known = found.energy(cells(np.resize((0, 1), 100), seed=1))
    between = cells(np.resize((0, 1), 100), seed=2)
    between[:, :2] = 0.5
    assert (found.energy(between)[:, None] > known[None, :]).mean() > 0.95
    # The more of a class, the less.
    assert found.energy(2 * np.eye(WIDTH)[0]) < found.energy(np.eye(WIDTH)[0])


def test_one_vector_is_as_good_as_a_table() -> None:
    found, table = fitted(np.resize((0, 1), 30)), cells(np.array([0, 1, 0]), seed=3)
    assert found.energy(table).shape == (3,)
    assert found.energy(table[1]) == pytest.approx(found.energy(table)[1])


def test_what_the_source_knows_counts_where_no_label_speaks() -> None:
    """Of the second class there is no label; the source says what makes it out."""
    targets, second = np.zeros(20, np.int64), cells(np.ones(50, np.int64), seed=4)
    known = 5 * np.eye(2, WIDTH)
    alone, helped = fitted(targets), fitted(targets, known)
    strange = np.eye(WIDTH)[7] + np.zeros((50, WIDTH))
    assert helped.energy(second).mean() < helped.energy(strange).mean() - 1
    assert abs(alone.energy(second).mean() - alone.energy(strange).mean()) < 1


def test_a_class_that_the_source_does_not_know() -> None:
    found = fitted(np.resize((0, 1, 2), 60))
    assert found.weights.shape == (3, WIDTH) and found.biases.shape == (3,)
    known = found.energy(cells(np.full(50, 2), seed=5))
    assert (known < found.energy(np.eye(WIDTH)[9])).all()
