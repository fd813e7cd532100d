from __future__ import annotations

import numpy as np
import pytest

from hemashift.trust.unlabelled import beyond_chance, separation, towards_unlabelled


def test_separation_is_the_area_under_the_curve() -> None:
    rng = np.random.default_rng(0)
    labelled, unlabelled = (
        rng.integers(0, 6, 20).astype(float),
        rng.integers(2, 9, 31).astype(float),
    )
    pairs = unlabelled[:, None] - labelled
    area = (pairs > 0).mean() + (pairs == 0).mean() / 2
    assert separation(labelled, unlabelled) == pytest.approx(2 * area - 1)
    assert separation(unlabelled, labelled) == pytest.approx(1 - 2 * area)
    assert separation(labelled, labelled) == 0


def test_the_direction_does_not_depend_on_how_many_are_unlabelled() -> None:
    rng = np.random.default_rng(1)
    labelled = rng.normal(0, 0.3, (30, 5))
    unlabelled = rng.normal(0, 0.3, (40, 5)) + np.eye(5)[2]
    once = towards_unlabelled(labelled, unlabelled)
    assert once.argmax() == 2
    assert np.allclose(once, towards_unlabelled(labelled, np.tile(unlabelled, (3, 1))), atol=1e-2)


def test_chance_is_seldom_believed() -> None:
    rng = np.random.default_rng(2)
    found = [
        beyond_chance(separation(rng.normal(size=50), rng.normal(size=300)), 50, 300)
        for _ in range(400)
    ]
    assert 0 < np.mean(np.array(found) > 0) < 0.06
    assert beyond_chance(-0.9, 50, 300) == 0
    assert beyond_chance(1.0, 10_000, 10_000) == pytest.approx(1, abs=1e-3)
