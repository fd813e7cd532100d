"""Cohen's kappa of two readers."""

from __future__ import annotations

import math

import pytest
from sklearn.metrics import cohen_kappa_score

from hemashift.app import labelling
from hemashift.app.agreement import agreement, disagreements
from hemashift.app.project import Project
from hemashift.app.store import ProjectError

from .conftest import cells_by_path, event

SIGNS = {"m": "monocyte", "l": "lymphocyte", "n": "neutrophil"}


def answer(project: Project, reader: str, text: str) -> None:
    """Record one answer a letter; x is no cell, ? unsure, . nothing."""
    for cell, sign in zip(cells_by_path(project).values(), text, strict=False):
        kind = {"x": "not_a_cell", "?": "unsure"}.get(sign, "label")
        if sign != ".":
            labelling.record(
                project, reader=reader, cell=cell, event=event(),
                verdict=kind, label=SIGNS.get(sign),  # type: ignore[arg-type]
            )  # fmt: skip


def test_kappa_and_its_limits(project: Project) -> None:
    first, second = "mmmmmmllllllnnnnnnxxm?", "mmmmmlllllllnnnnnmxnmm"
    answer(project, "A", first)
    answer(project, "B", second)
    found = agreement(project, "A", "B")
    assert found.n == 21 and found.left_out == 1
    expected = cohen_kappa_score(list(first[:-1]), list(second[:-1]))
    assert found.kappa.estimate == pytest.approx(expected)
    assert 0.4 < found.kappa.low < expected < found.kappa.high <= 1
    assert found.same.estimate == pytest.approx(18 / 21)
    assert agreement(project, "B", "A").kappa == found.kappa
    assert set(found.classes) == {*SIGNS.values(), "not a cell"}
    assert sum(map(sum, found.table)) == 21
    row, column = found.classes.index("monocyte"), found.classes.index("lymphocyte")
    assert found.table[row][column] == 1
    cells = list(cells_by_path(project).values())
    assert disagreements(project, "A", "B") == [cells[5], cells[17], cells[19]]


def test_only_cells_that_both_have_seen_count(project: Project) -> None:
    answer(project, "A", "mmll....")
    answer(project, "B", "....llmm")
    found = agreement(project, "A", "B")
    assert found.n == 0 and math.isnan(found.kappa.estimate)
    assert disagreements(project, "A", "B") == []


def test_one_class_alone_gives_no_kappa(project: Project) -> None:
    answer(project, "A", "mmmm")
    answer(project, "B", "mmmm")
    found = agreement(project, "A", "B")
    assert math.isnan(found.kappa.estimate)
    assert found.same.estimate == 1 and found.same.low < 0.5


def test_full_agreement(project: Project) -> None:
    answer(project, "A", "mmllnn")
    answer(project, "B", "mmllnn")
    found = agreement(project, "A", "B").kappa
    assert found.estimate == pytest.approx(1) and found.high == pytest.approx(1)
    assert found.low < 0.5  # six cells are not certain


def test_two_readers_are_needed(project: Project) -> None:
    answer(project, "A", "mm")
    for other in ("A", "nobody"):
        with pytest.raises(ProjectError):
            agreement(project, "A", other)
