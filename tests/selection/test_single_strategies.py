"""What each strategy prefers."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.selection import STRATEGIES
from hemashift.selection.balanced import belief
from hemashift.selection.contract import Problem
from hemashift.selection.kcentre import farthest
from hemashift.selection.probcover import pure_radius

from .conftest import MakeProblem


def classes_of(problem: Problem, name: str, n: int) -> np.ndarray:
    chosen = [pick.row for pick in STRATEGIES[name].choose(problem, n)]
    return problem.source[chosen].argmax(axis=1)


@pytest.mark.parametrize("name", ["balanced", "typiclust", "probcover"])
def test_one_cell_of_each_pile_comes_first(name: str, make_problem: MakeProblem) -> None:
    problem = make_problem((60, 25, 8))
    assert set(classes_of(problem, name, 3)) == {0, 1, 2}


def test_random_takes_more_of_what_is_more(make_problem: MakeProblem) -> None:
    counts = np.zeros(3)
    for seed in range(40):
        counts += np.bincount(
            classes_of(make_problem((60, 25, 8), seed=seed), "random", 5), None, 3
        )
    assert counts[0] > counts[1] > counts[2]


def test_k_centre_goes_where_nothing_is_labelled() -> None:
    vectors = np.array([[0.0], [1.0], [2.0], [9.0]], np.float32)
    assert farthest(vectors, vectors[:1], 2).tolist() == [3, 2]
    assert farthest(vectors, np.empty((0, 1), np.float32), 2).tolist() == [2, 3]


def test_k_centre_starts_from_the_labels(make_problem: MakeProblem) -> None:
    problem = make_problem((30, 30, 30))
    first = np.flatnonzero(problem.source.argmax(axis=1) != 2)
    known = make_problem((30, 30, 30), labelled=first, targets=np.zeros(len(first), np.int64))
    assert classes_of(known, "kcentre", 1).tolist() == [2]


def test_the_radius_is_that_of_pure_balls() -> None:
    """Two piles 5 apart, each 1 wide: balls are pure up to the gap between the piles."""
    places = np.concatenate([np.linspace(0, 1, 20), np.linspace(5, 6, 20)])
    apart = np.abs(places[:, None] - places).astype(np.float32)
    radius = pure_radius(apart, np.repeat([0, 1], 20))
    assert 3.9 < radius < 4.1


def test_one_pseudo_class_covers_everything() -> None:
    apart = np.array([[0.0, 2.0], [2.0, 0.0]], np.float32)
    assert pure_radius(apart, np.zeros(2, np.int64)) == 2.0


def test_probcover_leaves_out_what_a_label_covers(make_problem: MakeProblem) -> None:
    problem = make_problem((60, 25, 8))
    inside = np.flatnonzero(problem.source.argmax(axis=1) == 0)[:20]
    known = make_problem((60, 25, 8), labelled=inside, targets=np.zeros(20, np.int64))
    assert classes_of(known, "probcover", 1).tolist() == [1]


@pytest.mark.parametrize("name", ["margin", "entropy", "balanced"])
def test_doubtful_cells_are_asked_for(name: str, make_problem: MakeProblem) -> None:
    sure = np.tile(np.array([0.98, 0.01, 0.01], np.float32), (90, 1))
    doubtful = np.arange(50, 70)
    sure[doubtful] = (0.4, 0.35, 0.25)
    problem = make_problem(labels=6, current=sure)
    chosen = {pick.row for pick in STRATEGIES[name].choose(problem, 4)}
    assert chosen <= set(doubtful.tolist())


@pytest.mark.parametrize("name", ["margin", "entropy"])
def test_without_a_model_they_take_typical_cells(name: str, make_problem: MakeProblem) -> None:
    problem = make_problem()
    assert STRATEGIES[name].choose(problem, 6) == STRATEGIES["typiclust"].choose(problem, 6)


def test_balanced_asks_for_more_of_a_rare_class_than_there_is(make_problem: MakeProblem) -> None:
    """A twelfth of the cells are of the last class; more than a twelfth of the picks are."""
    problem = make_problem((110, 110, 20))
    share = {name: (classes_of(problem, name, 24) == 2).mean() for name in ("balanced", "random")}
    assert share["balanced"] > 1.5 / 12
    assert share["balanced"] > share["random"]


def test_balanced_prefers_doubtful_cells_of_a_thin_class(make_problem: MakeProblem) -> None:
    """All cells are equally doubtful; the source model takes some for a class without a label."""
    even = np.full((90, 3), (0.45, 0.45, 0.1), np.float32)
    source = np.tile(np.array([0.9, 0.1, 0.0], np.float32), (90, 1))
    source[80:] = (0.0, 0.1, 0.9)
    problem = make_problem(
        labelled=np.arange(16), targets=np.arange(16) % 2, current=even, source=source
    )
    offered = {pick.row for pick in STRATEGIES["balanced"].choose(problem, 2)}
    assert offered <= set(range(80, 90))


def test_belief_moves_from_the_source_model_to_the_labels(make_problem: MakeProblem) -> None:
    problem = make_problem(labels=30, current=np.full((90, 3), 1 / 3, np.float32))
    expected = (30 / 3 + 10 * problem.source) / 40
    np.testing.assert_allclose(belief(problem), expected, atol=1e-6)
    assert belief(make_problem()) is not None
    np.testing.assert_array_equal(belief(make_problem()), make_problem().source)
