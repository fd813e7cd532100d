"""Which classes of the model are kept, and which cells are `outside`."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from hemashift.app import (
    audit_trail,
    classifying,
    counting,
    encodings,
    labelling,
    placing,
    proposing,
    versions,
)
from hemashift.app.keeping import keeping
from hemashift.app.project import Project
from hemashift.app.reviewing import bins, cells, gallery, reclassify, undo_review
from hemashift.app.web import work
from hemashift.trust.calibration import Calibration
from hemashift.trust.outside import Outside
from hemashift.trust.storage import Trust, attach, read_trust
from hemashift.trust.unidentified import keep_rule

from .conftest import EACH, cells_by_path, event, truth


def trusted(project: Project, labels: int = 60, sure: float = 0.97, inside: float = 1.0) -> None:
    """Add a version that knows how often it is wrong, and what the cells of the project look like.

    Args:
        project: The project, encoded.
        labels: Number of its labelled cells, all of which it recognises.
        sure: How sure it is of them.
        inside: Share of the cells that it does not put outside.
    """
    model = versions.bundle(project)
    names = model.card.classes
    guesses = np.full((labels, len(names)), (1 - sure) / (len(names) - 1))
    guesses[:, 0] = sure
    paths = cells_by_path(project)
    kept = encodings.of_model(project, model)
    digests = encodings.digests(project, list(paths.values()))
    targets = np.array([names.index(truth(path)) for path in paths])
    even = np.arange(len(targets)) % 2 == 0
    parts = [(np.flatnonzero(even), np.flatnonzero(~even))]
    seen = kept.of([digests[cell] for cell in paths.values()])
    outside = Outside.fit(seen, targets, parts)
    scores = outside.scores(seen)
    reach = {0.0: scores.min() / 2, 1.0: 2 * scores.max()}.get(inside, np.quantile(scores, inside))
    known = Trust(
        Calibration.of(guesses, np.zeros(labels, np.int64)),
        replace(outside, threshold=float(outside.threshold * reach)),
    )
    versions.add(project, attach(model, known), "added", by="A")


def test_the_rule_is_that_of_the_command_line(encoded: Project) -> None:
    trusted(encoded)
    known = read_trust(versions.bundle(encoded)).calibration
    assert known is not None
    for rate in (0.05, 0.1, 0.01):
        encoded.set_max_error(rate, by="A")
        found = keeping(encoded)
        assert found.rule == keep_rule(known, rate)
        assert found.rule.promised == (rate > 0.01)
    assert found.caveats == ()


def test_cells_below_the_threshold_are_unidentified(encoded: Project) -> None:
    trusted(encoded, inside=1.0)
    classifying.classify_project(encoded)
    threshold = keeping(encoded).rule.threshold
    views = cells(encoded, gallery(encoded))
    assert {view.bin == "unidentified" for view in views} >= {True}
    for view in views:
        assert view.probability is not None
        kept = view.probability >= threshold
        assert view.bin == (view.predicted if kept else "unidentified")


def test_a_model_that_was_not_adapted_promises_nothing(encoded: Project) -> None:
    for _ in range(2):  # before the first version is there, and after
        found = keeping(encoded)
        assert not found.rule.promised and found.rule.threshold == pytest.approx(0.95)
        classifying.classify_project(encoded)
    assert any("not adapted" in one for one in found.caveats)


def test_proposed_cells_are_said_to_be_no_random_draw(encoded: Project) -> None:
    trusted(encoded)
    cell = proposing.propose(encoded, 1)[0]
    assert keeping(encoded).caveats == ()
    labelling.record(encoded, reader="A", cell=cell, label="monocyte", event=event())
    assert "not drawn at random" in keeping(encoded).caveats[0]


def test_a_damaged_model_does_not_close_the_project(encoded: Project) -> None:
    trusted(encoded)
    classifying.classify_project(encoded)
    shutil.rmtree(versions.active(encoded).folder)
    encoded.memory.clear()
    found = keeping(encoded)
    assert not found.rule.promised and "cannot be read" in found.caveats[0]
    assert sum(bins(encoded).values()) == 3 * EACH
    versions.activate(encoded, 1, by="A")
    assert "cannot be read" not in " ".join(keeping(encoded).caveats)


def test_cells_unlike_all_classes_are_put_outside(encoded: Project) -> None:
    trusted(encoded, inside=0.5)
    classifying.classify_project(encoded)
    outside = read_trust(versions.bundle(encoded)).outside
    assert outside is not None
    views = cells(encoded, gallery(encoded))
    kept = encodings.of_model(encoded, versions.bundle(encoded))
    digests = encodings.digests(encoded, [view.cell for view in views])
    scores = outside.scores(kept.of([digests[view.cell] for view in views]))
    assert [view.outside for view in views] == pytest.approx(scores.tolist())
    beyond = {view.cell for view, score in zip(views, scores, strict=True) if score > 1}
    assert 0 < len(beyond) < 3 * EACH
    assert {view.cell for view in views if view.bin == "outside"} == beyond
    assert all(view.source == "model" for view in views)
    # The one nearest to the classes is the most doubtful.
    nearest = gallery(encoded, "outside")[0]
    by_cell = {view.cell: view.outside or 0.0 for view in views}
    assert by_cell[nearest] == min(by_cell[cell] for cell in beyond)


def test_a_model_that_was_not_adapted_puts_nothing_outside(encoded: Project) -> None:
    model = versions.bundle(encoded)
    trusted(encoded, inside=0.0)
    strange = read_trust(versions.bundle(encoded)).outside
    versions.add(encoded, attach(model, Trust(outside=strange)), "added", by="A")
    classifying.classify_project(encoded)
    assert bins(encoded)["outside"] == 0
    assert not placing.scored(placing.place(encoded))


def test_people_come_before_the_score(encoded: Project) -> None:
    trusted(encoded, inside=0.0)
    classifying.classify_project(encoded)
    one, two, *_ = gallery(encoded, "outside")
    assert bins(encoded)["outside"] == 3 * EACH
    labelling.record(encoded, reader="A", cell=one, label="monocyte", event=event())
    reclassify(encoded, reader="A", cells=[two], bin="unidentified", event=event())
    assert [view.bin for view in cells(encoded, [one, two])] == ["monocyte", "unidentified"]
    undo_review(encoded, reader="A", event=event())
    assert cells(encoded, [two])[0].bin == "outside"


def test_signing_waits_until_a_person_has_confirmed_what_is_outside(encoded: Project) -> None:
    trusted(encoded, inside=0.0)
    classifying.classify_project(encoded)
    one, two, *rest = gallery(encoded)
    reclassify(encoded, reader="A", cells=rest, bin="neutrophil", event=event())
    found = counting.draft(encoded)
    assert (found.unconfirmed, found.unidentified, found.differential.outside) == (2, 0, 2)
    assert encoded.summary().unconfirmed == 2
    assert found.blocked is not None and found.blocked.startswith("2 cells were put outside")
    reclassify(encoded, reader="A", cells=[one], bin="outside", event=event())
    blocked = counting.draft(encoded).blocked
    assert blocked is not None and blocked.startswith("1 cell was put outside")
    labelling.record(encoded, reader="A", cell=two, verdict="not_a_cell", event=event())
    found = counting.draft(encoded)
    assert (found.unconfirmed, found.blocked, found.differential.outside) == (0, None, 2)


def test_an_earlier_project_gets_its_scores_when_it_is_opened(encoded: Project) -> None:
    trusted(encoded, inside=0.5)
    classifying.classify_project(encoded)
    after = bins(encoded)
    with encoded.store.writing() as connection:
        connection.execute("UPDATE predictions SET outside = NULL")
    assert bins(encoded)["outside"] == 0
    job = work.catch_up(encoded)
    assert job is not None and job.wait(600).state == "done"
    assert bins(encoded) == after
    assert work.catch_up(encoded) is None
    assert "classify" not in {entry.action for entry in audit_trail.entries(encoded)}
