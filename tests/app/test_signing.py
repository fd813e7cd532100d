"""Differential, signature, amendment, audit trail, and the files to take home."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from hemashift.app import (
    audit_trail,
    classifying,
    counting,
    exporting,
    importing,
    signing,
    versions,
)
from hemashift.app.counting import draft
from hemashift.app.project import Project
from hemashift.app.reviewing import gallery, reclassify
from hemashift.app.signing import amend, load, results, sign
from hemashift.app.store import ConflictError, ProjectError
from hemashift.differential import FlagRule, Subject
from hemashift.differential.exports import FORMATS

from .conftest import EACH, cells_by_path, event, truth


@pytest.fixture
def reviewed(project: Project) -> Project:
    """The project with every cell put into its class, one of them made an erythroblast."""
    by_class: dict[str, list[int]] = {}
    for path, cell in cells_by_path(project).items():
        by_class.setdefault(truth(path), []).append(cell)
    by_class["erythroblast"] = [by_class["monocyte"].pop()]
    for name, cells in by_class.items():
        reclassify(project, reader="A", cells=cells, bin=name, event=event())
    return project


def signed(project: Project, **wish: str) -> signing.SignedResult:
    return sign(project, **{"by": "A", "token": draft(project).token, "event": event(), **wish})


def test_the_draft_counts_what_was_reviewed(reviewed: Project) -> None:
    reviewed.set_flag_rules((FlagRule("erythroblast", "above", 1),), by="A")
    found = draft(reviewed)
    assert found.differential.leucocytes == 3 * EACH - 1
    assert found.differential.counts["monocyte"] == EACH - 1
    assert found.differential.line("erythroblast").unit == "per 100 leucocytes"
    assert [flag.rule.name for flag in found.flags] == ["erythroblast"]
    assert found.blocked is None


def test_signing_waits_for_unidentified_cells(reviewed: Project) -> None:
    cell = gallery(reviewed)[0]
    reclassify(reviewed, reader="A", cells=[cell], bin="unidentified", event=event())
    assert "1 cell is not identified" in str(draft(reviewed).blocked)
    with pytest.raises(ProjectError, match="cannot be signed"):
        signed(reviewed)
    reclassify(reviewed, reader="A", cells=[cell], bin="outside", event=event())
    assert signed(reviewed).version == 1


def test_a_signature_says_who_when_and_which_model(reviewed: Project) -> None:
    reviewed.set_subject(Subject(sample_id="S1"), by="A")
    versions.versions(reviewed)
    before = audit_trail.head(reviewed)
    made = signed(reviewed, by=" Dr. A. ", comment="well seen")
    assert (made.version, made.amends, made.by, made.model) == (1, None, "Dr. A.", 1)
    result = made.result
    assert result.status == "final" and result.subject.sample_id == "S1"
    assert result.model is not None and result.model.hash == versions.active(reviewed).hash
    assert (result.comment, result.reviewed, result.audit_head) == ("well seen", 30, before)
    assert len(made.cells) == 3 * EACH
    entry = audit_trail.entries(reviewed)[-1]
    assert (entry.by, entry.action, entry.detail["sha256"]) == ("Dr. A.", "sign", made.sha256)


def test_a_result_says_what_could_not_be_read(reviewed: Project) -> None:
    (reviewed.images / "broken.png").write_bytes(b"\x89PNG")
    token = draft(reviewed).token
    importing.refresh(reviewed)
    with pytest.raises(ConflictError):
        signed(reviewed, token=token)
    assert signed(reviewed).result.unreadable == 1


def test_only_what_was_on_screen_is_signed(reviewed: Project) -> None:
    """Whatever changes in another window in between, the signature is refused."""
    cell = gallery(reviewed)[0]
    changes = [
        lambda: reclassify(reviewed, reader="B", cells=[cell], bin="basophil", event=event()),
        lambda: reviewed.set_subject(Subject(sample_id="S2"), by="B"),
        lambda: reviewed.set_flag_rules((FlagRule("basophil", "above", 0),), by="B"),
        lambda: versions.add(reviewed, other_model(reviewed), "added", by="B"),
    ]
    for change in changes:
        token = draft(reviewed).token
        change()
        with pytest.raises(ConflictError, match="changed since"):
            signed(reviewed, token=token)
    assert results(reviewed) == []


def other_model(project: Project):  # type: ignore[no-untyped-def]
    model = versions.bundle(project)
    return model.with_head(model.head, name="other")


def test_a_repeated_signature_signs_once(reviewed: Project) -> None:
    wish = {"by": "A", "token": draft(reviewed).token, "event": "s1"}
    assert sign(reviewed, **wish) == sign(reviewed, **wish)
    assert len(results(reviewed)) == 1
    with pytest.raises(ConflictError, match="signed already"):
        signed(reviewed)


def test_an_amendment_is_a_new_version(reviewed: Project) -> None:
    first = signed(reviewed)
    cell = gallery(reviewed, "neutrophil")[0]
    reclassify(reviewed, reader="A", cells=[cell], bin="basophil", event=event())
    token = draft(reviewed).token
    with pytest.raises(ProjectError, match="reason"):
        amend(reviewed, by="A", token=token, event=event(), reason=" ")
    second = amend(reviewed, by="B", token=token, event=event(), reason="a basophil")
    assert (second.version, second.amends, second.reason) == (2, 1, "a basophil")
    assert second.result.status == "amended"
    assert second.result.differential.counts["basophil"] == 1
    assert load(reviewed, 1) == first
    assert first.result.differential.counts["basophil"] == 0
    assert reviewed.summary().signed == 2


def test_nothing_signed_cannot_be_amended(reviewed: Project) -> None:
    with pytest.raises(ProjectError, match="no signed result"):
        amend(reviewed, by="A", token=draft(reviewed).token, event=event(), reason="why")
    with pytest.raises(ProjectError):
        load(reviewed, 1)


def test_a_signed_result_is_locked(reviewed: Project) -> None:
    first = signed(reviewed)
    for order in (
        "UPDATE results SET signed_by = 'else'",
        "DELETE FROM results",
        "INSERT OR REPLACE INTO results SELECT * FROM results",
        "REPLACE INTO audit SELECT * FROM audit",
    ):
        with pytest.raises(sqlite3.IntegrityError):
            reviewed.store.connection().execute(order)
    reclassify(reviewed, reader="A", cells=gallery(reviewed), bin="outside", event=event())
    assert load(reviewed, 1) == first


def test_a_result_changed_with_other_tools_is_noticed(reviewed: Project) -> None:
    signed(reviewed)
    connection = reviewed.store.connection()
    connection.execute("DROP TRIGGER results_stay")
    connection.execute("UPDATE results SET content = REPLACE(content, 'neutrophil', 'monocyte')")
    with pytest.raises(ProjectError, match="changed outside"):
        load(reviewed, 1)


def test_the_audit_trail_is_only_ever_added_to(reviewed: Project) -> None:
    signed(reviewed)
    found = audit_trail.verify(reviewed)
    entries = audit_trail.entries(reviewed)
    assert found.broken is None and found.entries == len(entries) and found.head
    assert [one.action for one in entries][:2] == ["create", "import"]
    assert audit_trail.entries(reviewed, after=2, limit=1) == entries[2:3]
    for order in ("UPDATE audit SET made_by = 'else'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError):
            reviewed.store.connection().execute(order)


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE audit SET detail = '{}' WHERE number = 2",
        "UPDATE audit SET at = '2000' WHERE number = 2",
        "DELETE FROM audit WHERE number = 2",
        "UPDATE audit SET made_by = 'else', hash = 'made up' WHERE number = 2",
    ],
)
def test_a_changed_audit_trail_is_noticed(tampering: str, reviewed: Project) -> None:
    signed(reviewed)
    connection = reviewed.store.connection()
    connection.execute("DROP TRIGGER audit_stays")
    connection.execute("DROP TRIGGER audit_is_kept")
    connection.execute(tampering)
    assert audit_trail.verify(reviewed).broken in (2, 3)


@pytest.mark.parametrize("form", FORMATS)
def test_a_signed_result_is_taken_home(form: str, reviewed: Project, tmp_path: Path) -> None:
    if form == "pdf":
        pytest.importorskip("fpdf")
    signed(reviewed, comment="a remark")
    file = exporting.export(reviewed, form, tmp_path / f"out.{form}", version=1, by="B")  # type: ignore[arg-type]
    content = file.read_bytes()
    assert len(content) > 500
    if form == "html":
        assert content.count(b"data:image/jpeg") == 3 * EACH and b"DRAFT" not in content
    if form == "json":
        assert json.loads(content)["signature"]["by"] == "A"
    entry = audit_trail.entries(reviewed)[-1]
    assert (entry.action, entry.by, entry.detail) == ("export", "B", {"format": form, "version": 1})


def test_a_draft_is_taken_home_as_a_draft(reviewed: Project, tmp_path: Path) -> None:
    file = exporting.export(reviewed, "json", tmp_path / "draft.json")
    assert json.loads(file.read_text())["status"] == "draft"
    with pytest.raises(ProjectError):
        exporting.export(reviewed, "json", tmp_path / "no.json", version=3)
    with pytest.raises(ProjectError):
        exporting.export(reviewed, "xls", tmp_path / "no.xls")  # type: ignore[arg-type]
    assert not (tmp_path / "no.json").exists()


def test_an_old_result_is_exported_as_it_was_signed(reviewed: Project, tmp_path: Path) -> None:
    signed(reviewed)
    before = exporting.export(reviewed, "csv", tmp_path / "1.csv", version=1).read_bytes()
    reclassify(reviewed, reader="A", cells=gallery(reviewed), bin="basophil", event=event())
    reviewed.set_subject(Subject(sample_id="later"), by="A")
    assert exporting.export(reviewed, "csv", tmp_path / "2.csv", version=1).read_bytes() == before


def test_two_readers_are_compared(reviewed: Project) -> None:
    cells = gallery(reviewed, "neutrophil")
    reclassify(reviewed, reader="B", cells=cells, bin="basophil", event=event())
    result = counting.compare_readers(reviewed, "A", "B")
    lines = {line.name: line for line in result.lines}
    assert lines["neutrophil"].first.count == EACH and lines["neutrophil"].second.count == 0
    assert lines["basophil"].second.count == EACH
    for other in ("A", "nobody"):
        with pytest.raises(ProjectError):
            counting.compare_readers(reviewed, "A", other)


def test_two_versions_are_compared_before_any_review(encoded: Project) -> None:
    encoded.set_max_error(0.99, by="A")
    classifying.classify_project(encoded)
    versions.add(encoded, other_model(encoded), "added", by="A")
    with pytest.raises(ProjectError, match="not classified"):
        counting.compare_versions(encoded, 1, 2)
    classifying.classify_project(encoded)
    reclassify(encoded, reader="A", cells=gallery(encoded), bin="outside", event=event())
    result = counting.compare_versions(encoded, 1, 2)
    assert result.names == ("version 1", "version 2")
    assert all(line.within for line in result.lines)
    assert result.first.counts == result.second.counts and result.first.outside == 0
