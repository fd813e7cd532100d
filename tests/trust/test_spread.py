from __future__ import annotations

import numpy as np

from hemashift.trust.spread import Spread


def cells(count: int, width: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two classes that lie apart, both long in the first direction and thin in the others."""
    rng = np.random.default_rng(seed)
    targets = np.arange(count) % 2
    scale = np.r_[3.0, 2.0, np.full(width - 2, 0.5)]
    return rng.normal(0, scale, (count, width)) + 5 * np.eye(width)[2 + targets], targets


def covariance(spread: Spread) -> np.ndarray:
    width = spread.directions.shape[1]
    extra = (spread.directions.T * (spread.variances - spread.rest)) @ spread.directions
    return extra + spread.rest * np.eye(width)


def test_it_is_the_covariance_within_classes() -> None:
    found = Spread.within(*cells(4000))
    np.testing.assert_allclose(found.directions @ found.directions.T, np.eye(20), atol=1e-9)
    expected = np.diag([9.0, 4.0] + [0.25] * 38)
    np.testing.assert_allclose(covariance(found), expected, atol=0.5)


def test_distances_are_those_of_the_covariance() -> None:
    vectors, targets = cells(300)
    spread = Spread.within(vectors, targets)
    centres = np.stack([vectors[targets == number].mean(axis=0) for number in (0, 1)])
    inverse = np.linalg.inv(covariance(spread))
    difference = vectors[:, None] - centres
    expected = np.sqrt(np.einsum("ncd,de,nce->nc", difference, inverse, difference))
    np.testing.assert_allclose(spread.distances(vectors, centres), expected, rtol=1e-6)


def test_few_cells_of_many_features() -> None:
    vectors, targets = cells(12)
    spread = Spread.within(vectors, targets)
    assert len(spread.variances) <= 6
    own = spread.distances(vectors, vectors[:1])
    assert np.isfinite(own).all() and own[0, 0] < 1e-3
    assert abs(spread.directions[0, 0]) > 0.7, "the long direction is found"


def test_one_cell_a_class_leaves_the_spread_of_all() -> None:
    vectors, _ = cells(3)
    spread = Spread.within(vectors, np.arange(3))
    distances = spread.distances(vectors, vectors.mean(axis=0, keepdims=True))
    assert distances.min() > 0.1 and distances.max() < 100


def test_two_cells_of_one_class_do_not_make_all_other_directions_impossible() -> None:
    vectors, _ = cells(3)
    spread = Spread.within(vectors, np.array([0, 0, 1]))
    apart = np.linalg.norm(vectors[0] - vectors[1]) / np.sqrt(2 * vectors.shape[1])
    assert np.isclose(np.sqrt(spread.rest), apart)
    assert len(spread.variances) == 0


def test_copies_of_one_cell_have_no_spread() -> None:
    vectors = np.repeat(cells(1)[0], 5, axis=0)
    spread = Spread.within(vectors, np.zeros(5, np.int64))
    assert np.isfinite(spread.distances(vectors + 1, vectors[:1])).all()


def test_joined_is_the_mean_of_both() -> None:
    one, other = Spread.within(*cells(500)), Spread.within(*cells(60, seed=1))
    expected = (covariance(one) + covariance(other)) / 2
    joined = covariance(one.joined(other))
    assert np.abs(joined - expected).max() < 0.05 * np.abs(expected).max()
    np.testing.assert_allclose(np.trace(joined), np.trace(expected))
    np.testing.assert_allclose(covariance(one.joined(one)), covariance(one), atol=1e-9)
