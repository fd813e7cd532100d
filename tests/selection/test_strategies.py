"""What holds for every strategy, whatever it prefers."""

from __future__ import annotations

import numpy as np
import pytest

from hemashift.selection import DEFAULT, STRATEGIES
from hemashift.selection.contract import Problem

from .conftest import MakeProblem

pytestmark = pytest.mark.parametrize("name", sorted(STRATEGIES))


def rows(name: str, problem: Problem, n: int) -> list[int]:
    return [pick.row for pick in STRATEGIES[name].choose(problem, n)]


@pytest.mark.parametrize("labels", [0, 9])
def test_different_cells_without_a_label_as_many_as_asked_for(
    name: str, labels: int, make_problem: MakeProblem
) -> None:
    problem = make_problem(labels=labels)
    chosen = rows(name, problem, 12)
    assert len(set(chosen)) == len(chosen) == 12
    assert not set(chosen) & set(problem.labelled.tolist())


@pytest.mark.parametrize("labels", [0, 9])
def test_the_same_seed_chooses_the_same_cells(
    name: str, labels: int, make_problem: MakeProblem
) -> None:
    assert rows(name, make_problem(labels=labels, seed=4), 9) == rows(
        name, make_problem(labels=labels, seed=4), 9
    )


def test_no_cell_is_asked_twice_also_where_it_was_asked_before(
    name: str, make_problem: MakeProblem
) -> None:
    """Three pictures of each of 30 cells: 5 labelled, 5 closed, 20 left."""
    copies = np.repeat(np.arange(30), 3)
    labelled = np.arange(1, 15, 3)
    problem = make_problem(
        copies=copies,
        labelled=labelled,
        targets=np.zeros(5, np.int64),
        closed=np.arange(15, 30, 3),
    )
    chosen = copies[rows(name, problem, 90)]
    assert sorted(chosen) == list(range(10, 30))


def test_more_than_there_are(name: str, make_problem: MakeProblem) -> None:
    problem = make_problem((5, 4, 3))
    assert sorted(rows(name, problem, 100)) == list(range(12))


def test_nothing_is_left(name: str, make_problem: MakeProblem) -> None:
    assert rows(name, make_problem((2, 2, 2), closed=np.arange(6)), 3) == []


def test_equal_cells_do_no_harm(name: str, make_problem: MakeProblem) -> None:
    problem = make_problem(vectors=np.ones((90, 4), np.float32), labels=6)
    assert len(set(rows(name, problem, 10))) == 10


def test_a_single_cell(name: str, make_problem: MakeProblem) -> None:
    assert rows(name, make_problem((1,), classes=("monocyte",)), 1) == [0]


def test_every_pick_has_a_reason_that_does_not_lead(name: str, make_problem: MakeProblem) -> None:
    problem = make_problem(labels=9)
    for pick in STRATEGIES[name].choose(problem, 10):
        assert pick.reason
        assert not any(cls in pick.reason for cls in problem.classes)


def test_it_has_its_name(name: str) -> None:
    assert STRATEGIES[name].name == name
    assert DEFAULT in STRATEGIES
