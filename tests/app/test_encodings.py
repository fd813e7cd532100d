"""Encodings: computed once, kept, and those of the command line."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hemashift.app import (
    classifying,
    encodings,
    importing,
    labelling,
    neighbours,
    proposing,
    reviewing,
    versions,
)
from hemashift.app.encodings import encode_all, of_model
from hemashift.app.project import Project
from hemashift.images import read_image
from hemashift.model.bundle import Bundle
from hemashift.model.heads import LinearHead
from hemashift.model.runtime import Encoder
from hemashift.selection.label_rows import LabelRow
from hemashift.selection.select import make_problem

from .conftest import EACH, Label, cells_by_path, draw_cell, event, truth


def test_they_are_those_of_the_encoder(encoded: Project, shipped: Bundle) -> None:
    cells = cells_by_path(encoded)
    digests = encodings.digests(encoded, list(cells.values()))
    found = of_model(encoded, shipped).of([digests[cell] for cell in cells.values()])
    prepared = [shipped.card.preprocessing(read_image(encoded.images / path)) for path in cells]
    expected = Encoder(shipped, threads=1).encode(np.stack(prepared))
    assert np.array_equal(found.features, expected.features)
    assert np.array_equal(found.embedding, expected.embedding)


def test_nothing_is_encoded_twice(encoded: Project, images: Path) -> None:
    assert encode_all(encoded) == 0
    with Project.open(images) as again:
        assert encode_all(again) == 0
        (images / "copy.png").write_bytes((images / "a" / "monocyte-1.png").read_bytes())
        draw_cell("monocyte", 60).save(images / "new.png")
        importing.refresh(again)
        assert encode_all(again) == 1  # the copy is known by its content


def test_a_damaged_file_is_computed_again(encoded: Project, images: Path) -> None:
    [file, *_] = (encoded.cache / "encodings").rglob("*.safetensors")
    file.write_bytes(file.read_bytes()[:100])
    with Project.open(images) as again:
        assert encode_all(again) == 3 * EACH
        assert len(of_model(again, versions.bundle(again))) == 3 * EACH


def test_work_done_is_kept(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "_PORTION", 8)

    def stop(step: str, done: int, total: int) -> None:
        if done >= 16:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encode_all(project, stop)
    assert encode_all(project) == 3 * EACH - 16


def test_versions_with_another_head_share_them(encoded: Project, shipped: Bundle) -> None:
    classes = shipped.card.classes
    zeros = np.zeros((len(classes), shipped.card.n_features), np.float32)
    head = LinearHead(
        classes, zeros, np.zeros(len(classes), np.float32),
        np.zeros(zeros.shape[1], np.float32), np.ones(zeros.shape[1], np.float32),
        on="features",
    )  # fmt: skip
    versions.add(encoded, shipped.with_head(head), "added", by="A")
    assert encode_all(encoded) == 0


def test_all_threads_share_what_is_kept(encoded: Project) -> None:
    model = versions.bundle(encoded)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: of_model(encoded, model), range(16)))
    assert all(one is found[0] for one in found)


def test_an_image_changed_meanwhile_is_passed_over(project: Project, images: Path) -> None:
    draw_cell("neutrophil", 8).save(images / "a" / "monocyte-1.png")
    assert encode_all(project) == 3 * EACH - 1


def test_similar_cells_are_of_the_same_class(encoded: Project, label: Label) -> None:
    label(encoded)
    cells = cells_by_path(encoded)
    right = 0
    for path, cell in cells.items():
        found = neighbours.similar(encoded, cell, n=5)
        assert len(found) == 5 and cell not in [one.cell for one in found]
        assert [one.similarity for one in found] == sorted(
            (one.similarity for one in found), reverse=True
        )
        assert all(-1.001 <= one.similarity <= 1.001 for one in found)
        right += found[0].label == truth(path)
    assert right > 0.8 * len(cells)


def test_a_reader_sees_only_cells_of_his_own(encoded: Project, label: Label) -> None:
    label(encoded, "A")
    cell = cells_by_path(encoded)["a/monocyte-1.png"]
    assert neighbours.similar(encoded, cell, reader="B") == []
    other = cells_by_path(encoded)["b/neutrophil-0.png"]
    labelling.record(encoded, reader="B", cell=other, label="monocyte", event=event())
    [only] = neighbours.similar(encoded, cell, reader="B")
    assert (only.cell, only.label) == (other, "monocyte")


def test_nothing_is_similar_before_cells_are_encoded(project: Project, label: Label) -> None:
    label(project)
    assert neighbours.similar(project, cells_by_path(project)["a/monocyte-1.png"]) == []
    assert len(neighbours.references(project, "monocyte", 3)) == 3


def test_references_are_typical_cells_of_the_class(encoded: Project, label: Label) -> None:
    odd = cells_by_path(encoded)["a/neutrophil-9.png"]
    label(encoded)
    labelling.record(encoded, reader="A", cell=odd, label="monocyte", event=event())
    found = neighbours.references(encoded, "monocyte", 7)
    assert len(found) == 7 and found[-1] == odd
    assert neighbours.references(encoded, "eosinophil") == []


def test_proposals_are_new_cells(encoded: Project, label: Label) -> None:
    label(encoded, each=2)
    known = set(labelling.verdicts(encoded, "A"))
    first, second = proposing.propose(encoded, 8), proposing.propose(encoded, 8)
    assert len(first) == len(second) == 8 and not known & {*first, *second}
    assert not set(first) & set(second)
    assert proposing.batch(encoded) == second
    assert set(proposing.reasons(encoded)) == {*first, *second}
    assert len(proposing.propose(encoded, 100)) == 3 * EACH - 6 - 16
    assert proposing.propose(encoded, 5) == []


def test_proposals_cover_the_classes(encoded: Project) -> None:
    names = {cell: truth(path) for path, cell in cells_by_path(encoded).items()}
    assert {names[cell] for cell in proposing.propose(encoded, 6)} == set(names.values())


def test_proposals_know_of_which_smear_labelled_cells_are(
    encoded: Project, label: Label, monkeypatch: pytest.MonkeyPatch
) -> None:
    label(encoded, each=2)
    labelled = sorted(labelling.verdicts(encoded, "A"))
    encoded.set_groups({cell: f"smear {cell}" for cell in labelled[1:]}, by="A")
    seen: list[LabelRow] = []

    def watched(model: Bundle, looked: Any, rows: Sequence[LabelRow], seed: int) -> Any:
        seen.extend(rows)
        return make_problem(model, looked, rows, seed)

    monkeypatch.setattr(proposing, "make_problem", watched)
    assert len(proposing.propose(encoded, 3)) == 3
    assert [row.group for row in seen] == ["", *(f"smear {cell}" for cell in labelled[1:])]


def test_more_of_a_class(encoded: Project, label: Label) -> None:
    encoded.add_class("our class", by="A")
    assert proposing.propose(encoded, 3, label="our class") == []
    for path, cell in list(cells_by_path(encoded).items())[:3]:
        assert truth(path) == "lymphocyte"
        labelling.record(encoded, reader="A", cell=cell, label="our class", event=event())
    names = {cell: truth(path) for path, cell in cells_by_path(encoded).items()}
    assert {names[c] for c in proposing.propose(encoded, 3, label="our class")} == {"lymphocyte"}
    classifying.classify_project(encoded)
    views = reviewing.cells(encoded, list(names))
    called = max(views, key=lambda view: view.probability or 0).predicted
    assert called is not None
    chosen = proposing.propose(encoded, 2, label=called)
    assert all(view.predicted == called for view in reviewing.cells(encoded, chosen))


def test_proposals_before_cells_are_encoded(project: Project, images: Path) -> None:
    found = proposing.propose(project, 10)
    assert len(set(found)) == 10
    # By chance, not in the order of names, which is often that of the slides.
    assert found != sorted(found)
