"""Bins, galleries and moves."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

from hemashift.app import classifying, counting, labelling, reviewing, versions
from hemashift.app.project import Project
from hemashift.app.reviewing import bins, cells, gallery, reclassify, undo_review
from hemashift.app.store import ConflictError, ProjectError
from hemashift.classification import classify

from .conftest import EACH, cells_by_path, event


@pytest.fixture
def classified(encoded: Project) -> Project:
    encoded.set_max_error(0.99, by="A")
    classifying.classify_project(encoded)
    return encoded


def test_classes_are_those_of_the_command_line(classified: Project, tmp_path: Path) -> None:
    folder = versions.active(classified).folder
    classify(classified.images, folder, tmp_path / "cells.csv")
    expected = pd.read_csv(tmp_path / "cells.csv").set_index("path")
    for view in cells(classified, gallery(classified)):
        row = expected.loc[view.path]
        assert view.predicted == row["label"] == view.bin
        assert view.probability == pytest.approx(row[f"p_{view.predicted}"], abs=1e-5)
        given = reviewing.probabilities(classified, view.cell)
        assert given == pytest.approx({n: row[f"p_{n}"] for n in given}, abs=1e-5)
        highest = sorted(given.values())[-2:]
        assert view.doubt == pytest.approx(1 - (highest[1] - highest[0]), abs=1e-5)


def test_nothing_is_classified_twice(classified: Project) -> None:
    assert classifying.classify_project(classified) == 0


def test_before_the_model_has_looked(project: Project) -> None:
    assert bins(project)["unidentified"] == 3 * EACH
    [view] = cells(project, [next(iter(cells_by_path(project).values()))])
    assert (view.source, view.predicted, view.doubt) == ("none", None, 1.0)
    assert reviewing.probabilities(project, view.cell) == {}


def test_doubtful_cells_are_unidentified(classified: Project) -> None:
    classified.set_max_error(0.001, by="A")
    sure = [v for v in cells(classified, gallery(classified)) if (v.probability or 0) >= 0.999]
    assert bins(classified)["unidentified"] == 3 * EACH - len(sure)


def test_people_come_before_the_model(classified: Project) -> None:
    one, two, three = gallery(classified)[:3]
    labelling.record(classified, reader="A", cell=one, label="eosinophil", event=event())
    labelling.record(classified, reader="A", cell=two, verdict="not_a_cell", event=event())
    labelling.record(classified, reader="A", cell=three, label="eosinophil", event=event())
    reclassify(classified, reader="B", cells=[three], bin="basophil", event=event())
    views = cells(classified, [one, two, three])
    assert [(view.bin, view.source, view.by) for view in views] == [
        ("eosinophil", "label", None), ("outside", "label", None), ("basophil", "review", "B"),
    ]  # fmt: skip
    assert all(view.doubt == 0 for view in views)


def test_what_readers_left_open_waits_for_a_person(classified: Project) -> None:
    one, two, three = gallery(classified)[:3]
    for reader, label in (("A", "eosinophil"), ("B", "basophil")):
        for cell in (one, two):
            labelling.record(classified, reader=reader, cell=cell, label=label, event=event())
    labelling.record(classified, reader="A", cell=three, verdict="unsure", event=event())
    reclassify(classified, reader="B", cells=[two], bin="basophil", event=event())
    views = cells(classified, [one, two, three])
    assert [(view.bin, view.source, view.why) for view in views] == [
        ("unidentified", "model", "readers disagree: A eosinophil, B basophil"),
        ("basophil", "review", ""),
        ("unidentified", "model", "A: unsure"),
    ]
    assert counting.draft(classified).blocked
    assert cells(classified, [three], reader="A")[0].bin == "unidentified"
    labelling.settle(classified, by="A", cell=one, label="basophil", event=event())
    labelling.record(classified, reader="A", cell=three, label="monocyte", event=event())
    assert [view.bin for view in cells(classified, [one, three])] == ["basophil", "monocyte"]
    assert counting.draft(classified).blocked is None


def test_many_cells_are_moved_at_once(classified: Project) -> None:
    chosen = gallery(classified)[:12]
    wish = {"reader": "A", "cells": chosen, "bin": "unidentified", "event": "m1"}
    moved = reclassify(classified, **wish)  # type: ignore[arg-type]
    assert bins(classified)["unidentified"] == 12
    assert reclassify(classified, **wish) == moved  # type: ignore[arg-type]
    with pytest.raises(ConflictError):
        reclassify(classified, **{**wish, "bin": "outside"})  # type: ignore[arg-type]
    assert classified.store.value("SELECT COUNT(*) FROM moves") == 1


def test_undo(classified: Project) -> None:
    before = bins(classified)
    cell = gallery(classified)[0]
    reclassify(classified, reader="A", cells=[cell], bin="basophil", event="m1")
    reclassify(classified, reader="B", cells=[cell], bin="outside", event="m2")
    first = undo_review(classified, reader="B", event="u1")
    assert first is not None and (first.bin, first.cells) == ("outside", (cell,))
    assert cells(classified, [cell])[0].bin == "basophil"
    assert undo_review(classified, reader="B", event="u1") == first
    assert undo_review(classified, reader="B", event="u2") is None
    undo_review(classified, reader="A", event="u3")
    assert bins(classified) == before
    with pytest.raises(ConflictError):
        undo_review(classified, reader="A", event="m1")
    with pytest.raises(ConflictError):
        reclassify(classified, reader="A", cells=[cell], bin="basophil", event="u1")


def test_a_move_is_all_or_nothing(classified: Project) -> None:
    cell = gallery(classified)[0]
    for wish in (
        {"cells": [cell, 10**6]}, {"cells": []}, {"bin": "no such bin"}, {"reader": ""},
    ):  # fmt: skip
        with pytest.raises(ProjectError):
            reclassify(
                classified,
                **{"reader": "A", "cells": [cell], "bin": "outside", "event": event(), **wish},  # type: ignore[arg-type]
            )
    assert classified.store.value("SELECT COUNT(*) FROM moves") == 0


def test_a_move_is_never_changed(classified: Project) -> None:
    cell = gallery(classified)[0]
    reclassify(classified, reader="A", cells=[cell], bin="outside", event=event())
    for order in (
        "UPDATE moves SET bin = 'x'",
        "DELETE FROM moves",
        "UPDATE moved_cells SET cell = 1",
        "DELETE FROM moved_cells",
        "REPLACE INTO moves SELECT * FROM moves",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            classified.store.connection().execute(order)


def test_sorting(classified: Project) -> None:
    views = {view.cell: view for view in cells(classified, gallery(classified))}
    doubts = [views[cell].doubt for cell in gallery(classified, sort="doubt")]
    assert doubts == sorted(doubts, reverse=True) and doubts[0] > doubts[-1]
    assert gallery(classified, sort="sure")[0] == gallery(classified, sort="doubt")[-1]
    paths = [views[cell].path for cell in gallery(classified, sort="path")]
    assert paths == sorted(paths)
    last, first = gallery(classified)[5], gallery(classified)[20]
    for cell in (first, last):
        reclassify(classified, reader="A", cells=[cell], bin="outside", event=event())
    assert gallery(classified, sort="reviewed")[:2] == [last, first]


def test_filters(classified: Project) -> None:
    everything = gallery(classified)
    cell = everything[0]
    predicted = cells(classified, [cell])[0].predicted
    reclassify(classified, reader="A", cells=[cell], bin="outside", event=event())
    assert gallery(classified, "outside") == [cell]
    assert gallery(classified, "outside", predicted=predicted, source="review") == [cell]
    assert gallery(classified, source="review", search="NO SUCH") == []
    assert len(gallery(classified, search="A/MONO")) == EACH // 2
    assert cell not in gallery(classified, least_doubt=0.01)
    assert set(gallery(classified, source="model")) == set(everything) - {cell}


def test_two_readers_review_apart(classified: Project) -> None:
    cell = gallery(classified)[0]
    reclassify(classified, reader="A", cells=[cell], bin="outside", event=event())
    assert bins(classified, reader="A")["outside"] == 1
    assert bins(classified, reader="B")["outside"] == 0
    assert bins(classified)["outside"] == 1


def test_going_back_to_a_version_shows_its_classes(classified: Project) -> None:
    before = bins(classified)
    model = versions.bundle(classified)
    made = versions.add(classified, model.with_head(model.head, name="same"), "added", by="A")
    assert bins(classified)["unidentified"] == 3 * EACH
    versions.activate(classified, 1, by="A")
    assert bins(classified) == before
    versions.activate(classified, made.number, by="A")
    classifying.classify_project(classified)
    assert bins(classified) == before
