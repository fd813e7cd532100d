from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse.linalg import ArpackNoConvergence

from hemashift.likeness.vectors import comparable
from hemashift.model.heads import Encoded


def encoded(features: np.ndarray) -> Encoded:
    return Encoded(features.astype(np.float32), features[:, :2].astype(np.float32))


def test_what_all_cells_share_does_not_count() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 40))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    found = comparable(encoded(features), directions=40)
    # One coordinate on another scale, as by another stain, changes nothing.
    scaled = features.copy()
    scaled[:, 0] *= 1.5
    other = comparable(encoded(scaled), directions=40)
    apart, same = (np.linalg.norm(v[:, None] - v, axis=2) for v in (found, other))
    np.testing.assert_allclose(apart, same, atol=0.1)


def test_distances_are_those_of_angles() -> None:
    features = np.random.default_rng(1).normal(size=(50, 30))
    found = comparable(encoded(features), directions=30)
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    assert apart.max() < 2
    assert 1.2 < np.median(apart) < 1.6


def test_few_and_equal_cells() -> None:
    assert comparable(encoded(np.ones((1, 9)))).shape == (1, 1)
    assert np.isfinite(comparable(encoded(np.ones((5, 9))))).all()
    assert comparable(encoded(np.empty((0, 9)))).shape == (0, 1)


def test_it_gives_the_same_twice() -> None:
    features = np.random.default_rng(2).normal(size=(90, 200))
    np.testing.assert_array_equal(comparable(encoded(features)), comparable(encoded(features)))


@pytest.mark.parametrize(("count", "width"), [(40, 30), (30, 40), (90, 400), (400, 90)], ids=str)
def test_directions_are_those_of_the_largest_variance(count: int, width: int) -> None:
    """Whichever of cells and features are fewer, and however many directions are asked for."""
    rng = np.random.default_rng(3)
    features = rng.normal(size=(count, width)) * np.linspace(3, 1, width)
    whole = comparable(encoded(features), directions=min(count, width))
    assert (np.diff(whole.var(axis=0)) <= 1e-9).all()
    for directions in (1, 4, 20):
        found = comparable(encoded(features), directions=directions)
        assert found.shape == (count, directions)
        np.testing.assert_allclose(abs(found), abs(whole[:, :directions]), atol=1e-4)


def test_a_search_that_does_not_end_is_done_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    features = np.random.default_rng(4).normal(size=(90, 400))
    usual = comparable(encoded(features), directions=5)

    def endless(*_: object, **__: object) -> None:
        raise ArpackNoConvergence("no", np.empty(0), np.empty((0, 0)))

    monkeypatch.setattr("hemashift.likeness.vectors.eigsh", endless)
    found = comparable(encoded(features), directions=5)
    np.testing.assert_allclose(abs(found), abs(usual), atol=1e-4)
