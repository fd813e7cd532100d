"""What the pages ask for, from the first label to the report that is taken home."""

from __future__ import annotations

import errno
import json
import os
import shutil
import sqlite3
import threading
import uuid
from typing import Any

import pytest

from hemashift.app import store
from hemashift.app.classifying import classify_project
from hemashift.app.importing import refresh
from hemashift.app.labelling import verdicts
from hemashift.app.store import ProjectError
from hemashift.app.web import work
from hemashift.model.bundle import Bundle

from .conftest import Page


def all_cells(page: Page) -> list[int]:
    cells: list[int] = page.get("/api/gallery").json()["cells"]
    return cells


def ended(page: Page, job: str) -> dict[str, Any]:
    """How work has ended."""
    found = page.project.jobs.get(job)
    assert found is not None
    found.wait(600)
    state: dict[str, Any] = page.get(f"/api/jobs/{job}").json()
    return state


def test_labels_are_saved_one_by_one_and_taken_back(page: Page) -> None:
    proposed = page.propose(5)
    assert len(proposed) == 5
    said = page.act("label", cell=proposed[0], label="monocyte")
    assert said["counts"] == {"monocyte": 1}
    state = page.get("/api/label?reader=A").json()
    assert state["cells"] == proposed
    assert state["waiting"] == proposed[1:]
    assert state["said"][str(proposed[0])]["label"] == "monocyte"
    undone = page.act("label/undo")
    assert undone["taken"]["cell"] == proposed[0]
    assert undone["now"] is None and undone["counts"] == {}
    assert page.act("label/undo")["taken"] is None


def test_the_same_keystroke_sent_twice_counts_once(page: Page) -> None:
    cell = page.propose(1)[0]
    event = uuid.uuid4().hex
    first = page.act("label", event=event, cell=cell, label="monocyte")
    page.act("label", cell=cell, label="lymphocyte")
    assert page.act("label", event=event, cell=cell, label="monocyte")["said"] == first["said"]
    assert verdicts(page.project, "A")[cell].label == "lymphocyte"


def test_classes_that_do_not_occur(page: Page) -> None:
    boxes = page.get("/project").text.split('type="checkbox"')[1:]
    assert len(boxes) == 6 and all(" checked>" in box.split("\n")[0] for box in boxes)
    assert page.act("occurs", name="basophil", occurs=False) == {"absent": ["basophil"]}
    boxes = page.get("/project").text.split('type="checkbox"')[1:]
    assert [" checked>" in box.split("\n")[0] for box in boxes] == [False] + [True] * 5
    assert page.act("occurs", name="basophil", occurs=True) == {"absent": []}
    wrong = page.post("occurs", name="blast", occurs=False, reader="A")
    assert wrong.status_code == 400 and "No such class" in wrong.json()["message"]


def test_a_class_that_is_not_in_use_is_removed(page: Page) -> None:
    cell = all_cells(page)[0]
    page.act("classes", name="blast")
    assert 'data-remove-class="blast"' in page.get("/project").text
    page.act("label", cell=cell, label="blast")
    for name in ("blast", "monocyte", "no such class"):
        refused = page.post("classes/remove", name=name, reader="A")
        assert refused.status_code == 400 and "cannot be removed" in refused.json()["message"]
    page.act("label/undo")
    page.act("move", cells=[cell], bin="blast")
    assert page.post("classes/remove", name="blast", reader="A").status_code == 400
    page.act("move/undo")
    assert "blast" not in page.act("classes/remove", name="blast")


def test_a_settlement_is_kept_and_taken_back(page: Page) -> None:
    (cell,) = page.propose(1)
    for reader, label in (("A", "monocyte"), ("B", "neutrophil")):
        page.act("label", reader=reader, cell=cell, label=label)

    def held() -> Any:
        (one,) = page.get("/api/agreement?first=B&second=A").json()["differing"]
        return one["settled"] and one["settled"]["label"]

    page.act("settle", cell=cell, label="monocyte")
    assert held() == "monocyte"
    page.act("settle", cell=cell, verdict="skip")
    assert held() is None


def test_two_windows_lose_no_label(page: Page) -> None:
    cells = page.propose(6)
    for place, cell in enumerate(cells):
        page.act("label", reader="AB"[place % 2], cell=cell, label="monocyte")
    assert len(verdicts(page.project, "A")) == len(verdicts(page.project, "B")) == 3


def test_a_second_reader_is_blind_and_agreement_is_told(page: Page) -> None:
    cells = page.propose(4)
    for place, cell in enumerate(cells):
        page.act("label", cell=cell, label="monocyte" if place else "neutrophil")
    state = page.get("/api/label?reader=B").json()
    assert state["said"] == {} and state["counts"] == {} and state["readers"] == ["A"]
    for cell in cells:
        page.act("label", reader="B", cell=cell, label="monocyte")
    found = page.get("/api/agreement?first=B&second=A").json()
    assert found["agreement"]["n"] == 4
    assert [one["cell"] for one in found["differing"]] == cells[:1]


def test_cells_are_moved_many_at_once_and_back(page: Page) -> None:
    cells = all_cells(page)
    bins = page.act("move", cells=cells[:3], bin="lymphocyte")["bins"]
    assert bins["lymphocyte"] == 3
    views = page.get(f"/api/cells?ids={','.join(map(str, cells[:4]))}").json()
    assert [one["source"] for one in views[:3]] == ["review"] * 3
    undone = page.act("move/undo")
    assert sorted(undone["moved"]["cells"]) == sorted(cells[:3])
    assert undone["bins"]["lymphocyte"] == 0


@pytest.mark.parametrize("ids", ["", "1;2", "../1", "1,", "a", "9" * 30])
def test_only_ids_are_taken_for_ids(page: Page, ids: str) -> None:
    assert page.get("/api/cells", params={"ids": ids}).status_code == 422


def test_signing_waits_for_unidentified_cells_and_then_locks(page: Page) -> None:
    text = page.get("/sign").text
    token = text.split('data-token="')[1].split('"')[0]
    wish = {"event": uuid.uuid4().hex, "reader": "A", "token": token}
    assert page.post("sign", **wish).status_code == 400
    page.act("move", cells=all_cells(page), bin="neutrophil")
    # What was on screen is no longer what would be signed.
    assert page.post("sign", **{**wish, "event": uuid.uuid4().hex}).status_code in (400, 409)
    token = page.get("/sign").text.split('data-token="')[1].split('"')[0]
    assert page.act("sign", token=token, comment="Clear.")["version"] == 1
    assert "signed and locked" in page.get("/sign").text
    page.act("move", cells=all_cells(page)[:1], bin="monocyte")
    token = page.get("/sign").text.split('data-token="')[1].split('"')[0]
    assert page.act("sign", token=token, amend=True, reason="Looked again")["version"] == 2
    assert "amended by version 2" in page.get("/sign").text


def test_copies_are_told_before_signing(page: Page) -> None:
    assert "of another file" not in page.get("/sign").text
    folder = page.project.images
    shutil.copy(folder / "00.png", folder / "again.png")
    refresh(page.project)
    assert "1 image is a copy of another file and counts as well" in page.get("/sign").text
    listed = page.get("/project").text.split('id="copies"')[1]
    assert "again.png</th>" in listed and "00.png</td>" in listed
    page.act("move", cells=all_cells(page), bin="neutrophil")
    assert "1 copy of another image, counted as well" in page.get("/results/draft/html").text


@pytest.mark.parametrize("form", ["html", "pdf", "csv", "json", "fhir", "hl7"])
def test_drafts_are_taken_home_in_every_format(page: Page, form: str) -> None:
    page.act("move", cells=all_cells(page), bin="neutrophil")
    answer = page.get(f"/results/draft/{form}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="smears-draft')
    assert len(answer.content) > 100
    if form in ("json", "fhir"):
        json.loads(answer.content)


def test_labels_are_taken_home_as_a_table(page: Page) -> None:
    cell = page.propose(1)[0]
    page.act("label", cell=cell, label="monocyte")
    lines = page.get("/labels.csv").text.splitlines()
    assert lines[0] == "path,label" and lines[1].endswith(",monocyte")


def test_labels_are_brought_as_a_table(page: Page) -> None:
    assert page.act("label-file", text="path,label\n00.png,LYT\n01.png,MON\n")["labels"] == 2
    assert page.get("/api/label?reader=A").json()["counts"] == {"lymphocyte": 1, "monocyte": 1}
    taken = page.act("label-file", text="path,label\n02.png,none\n", reader="B")
    assert taken == {"labels": 1, "new": ["none"]}
    refused = page.post("label-file", reader="A", text="path,label\n../../secret,LYT\n")
    assert refused.status_code == 400
    assert len(verdicts(page.project, "A")) == 2


def test_settings_are_kept(page: Page) -> None:
    rule = {"name": "neutrophil", "direction": "above", "limit": 70, "message": ""}
    page.act("settings", rules=[rule], max_error=0.1)
    assert page.project.max_error() == 0.1
    page.act("move", cells=all_cells(page), bin="neutrophil")
    assert "neutrophil" in page.get("/differential").text.split("lag:</b>")[1][:200]


def test_what_another_window_set_is_not_set_back(page: Page) -> None:
    rule = {"name": "neutrophil", "direction": "above", "limit": 70.5, "message": ""}
    loaded = {"rules": [], "max_error": 0.05}
    page.act("settings", rules=[rule], max_error=0.05, before=loaded)
    page.act("settings", rules=[], max_error=0.1, before=loaded)  # of a window opened earlier
    assert page.project.max_error() == 0.1
    assert [one.limit for one in page.project.flag_rules()] == [70.5]
    other = {**rule, "name": "monocyte"}
    wish = {"reader": "A", "rules": [other], "max_error": 0.05, "before": loaded}
    refused = page.post("settings", **wish)
    assert refused.status_code == 409 and "another window" in refused.json()["message"]
    assert [one.name for one in page.project.flag_rules()] == ["neutrophil"]
    assert page.project.max_error() == 0.1
    now = {"rules": [rule], "max_error": 0.1}
    page.act("settings", rules=[rule, other], max_error=0.1, before=now)
    assert len(page.project.flag_rules()) == 2


def test_details_of_the_sample_that_another_window_set_stay(page: Page) -> None:
    page.act("subject", sample_id="S 1", before={})
    held = page.act("subject", sex="female", before={})
    assert (held["sample_id"], held["sex"]) == ("S 1", "female")
    assert page.post("subject", reader="A", sample_id="S 2", before={}).status_code == 409
    page.act("subject", sample_id="S 2", sex="", before=held)
    assert (page.project.subject().sample_id, page.project.subject().sex) == ("S 2", "")


def test_an_answer_that_cannot_be_saved_now_is_to_be_sent_again(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_SECONDS_TO_WAIT", 0.0)
    cell = all_cells(page)[0]
    event = uuid.uuid4().hex
    wish = {"event": event, "reader": "A", "cell": cell, "label": "monocyte"}
    other = sqlite3.connect(page.project.file, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    refused = page.post("label", **wish)
    assert refused.status_code == 503 and "locked" in refused.json()["message"]
    assert page.get("/label").status_code == 503
    other.execute("ROLLBACK")
    assert page.post("label", **wish).status_code == 200
    assert verdicts(page.project, "A")[cell].event == event


def test_a_full_disk_is_said_in_plain_words(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "001")

    monkeypatch.setattr(Bundle, "save", full)
    answer = page.get("/project")  # puts the shipped model into a new project
    assert answer.status_code == 503
    assert "No space left" in answer.text and "Free some room" in answer.text


@pytest.mark.parametrize("rate", [-0.1, 0, 1, 1.1, "nan", None])
def test_an_error_rate_is_between_0_and_1(page: Page, rate: object) -> None:
    assert page.post("settings", reader="A", rules=[], max_error=rate).status_code == 422


def test_the_error_rate_is_put_into_words(page: Page) -> None:
    page.act("settings", rules=[], max_error=0.125)
    text = page.get("/differential").text
    assert 'value="12.5"' in text
    assert "An error of at most 0.125 cannot be promised by 0 labelled cells" in text
    page.act("label", cell=all_cells(page)[0], label="monocyte")
    classify_project(page.project)  # the model as it comes
    for step in ("review", "differential"):
        text = page.get(f"/{step}").text
        assert "not promised" in text and "was not adapted to labelled cells" in text


def test_proposing_is_work_in_the_background(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> list[int]:
        begun.set()
        assert go_on.wait(600)
        return [1]

    monkeypatch.setattr(work, "propose_cells", slow)
    started = page.act("propose", n=5)
    assert begun.wait(600) and started["state"] == "running"
    assert page.act("propose", n=5)["job"] == started["job"]  # one wish, one piece of work
    assert page.act("propose", n=5, label="monocyte")["job"] != started["job"]
    page.act("label", cell=all_cells(page)[0], label="monocyte")  # nothing waits for it
    assert {job["kind"] for job in page.get("/api/jobs").json()} == {"propose", "propose monocyte"}
    go_on.set()
    assert ended(page, started["job"])["result"] == [1]


def test_a_proposal_that_fails_says_why(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> list[int]:
        raise ProjectError("the cells are gone", hint="look for new images")

    monkeypatch.setattr(work, "propose_cells", fail)
    state = ended(page, page.act("propose")["job"])
    assert state["state"] == "failed"
    assert "the cells are gone" in state["error"] and "look for new images" in state["error"]


def test_cells_put_outside_by_the_model_alone_hold_up_signing(page: Page) -> None:
    cells = all_cells(page)
    classify_project(page.project)
    page.act("move", cells=cells[1:], bin="neutrophil")
    with page.project.store.writing() as connection:
        connection.execute("UPDATE predictions SET outside = 1.5 WHERE cell = ?", (cells[0],))
    found = page.get("/api/gallery?bin=outside").json()
    assert (found["cells"], found["unconfirmed"]) == (cells[:1], 1)
    assert "1 cell was put outside by the model alone" in page.get("/differential").text
    assert 'href="review?bin=outside"' in page.get("/sign").text
    assert page.get(f"/api/cells/{cells[0]}").json()["cell"]["outside"] == 1.5
    assert page.act("move", cells=cells[:1], bin="outside")["unconfirmed"] == 0
    assert "by the model alone" not in page.get("/sign").text


def test_the_details_of_the_sample_are_kept(page: Page) -> None:
    page.act("subject", sample_id="S <1>", sex="female")
    assert page.project.subject().sample_id == "S <1>"
    assert "S &lt;1&gt;" in page.get("/project").text


def test_work_is_followed_by_asking(page: Page) -> None:
    state = ended(page, page.act("import")["job"])
    assert state["state"] == "done" and state["result"]["problems"] == 1
    lost = page.get("/api/jobs/none", headers={"Accept": "application/json"})
    assert lost.status_code == 404 and "started anew" in lost.json()["message"]


def test_a_cell_says_why_it_is_called_so(page: Page) -> None:
    classify_project(page.project)
    cell = all_cells(page)[0]
    for other in page.propose(3):
        page.act("label", cell=other, label="monocyte")
    found = page.get(f"/api/cells/{cell}").json()
    assert sum(found["probabilities"].values()) == pytest.approx(1, abs=1e-3)
    assert {one["label"] for one in found["similar"]} == {"monocyte"}
    assert page.get("/api/references?label=monocyte").json()
