"""Events of readers, undo, the queue, and what is settled."""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest

from hemashift.app import audit_trail, importing, label_files, labelling, proposing
from hemashift.app.labelling import CONSENSUS, queue, record, settle, settled, undo, verdicts
from hemashift.app.project import Project
from hemashift.app.store import ConflictError, ProjectError

from .conftest import cells_by_path, draw_cell, event


@pytest.fixture
def cells(project: Project) -> list[int]:
    return list(cells_by_path(project).values())


def said(project: Project, reader: str = "A") -> dict[int, str | None]:
    return {cell: one.answer for cell, one in verdicts(project, reader).items()}


def test_every_kind_of_answer(project: Project, cells: list[int]) -> None:
    record(project, reader="A", cell=cells[0], label="monocyte", event=event())
    for cell, verdict in zip(cells[1:], ("not_a_cell", "unsure", "skip"), strict=False):
        record(project, reader="A", cell=cell, verdict=verdict, event=event())  # type: ignore[arg-type]
    assert said(project) == {
        cells[0]: "monocyte", cells[1]: "not a cell", cells[2]: None, cells[3]: None,
    }  # fmt: skip
    found = settled(project)
    assert dict(found.labels) == {cells[0]: "monocyte"} and found.not_cells == {cells[1]}


def test_the_last_answer_holds(project: Project, cells: list[int]) -> None:
    for label in ("monocyte", "lymphocyte", "neutrophil"):
        record(project, reader="A", cell=cells[0], label=label, event=event())
    assert said(project) == {cells[0]: "neutrophil"}
    assert project.store.value("SELECT COUNT(*) FROM label_events") == 3


def test_a_repeated_event_is_not_doubled(project: Project, cells: list[int]) -> None:
    wish = {"reader": "A", "cell": cells[0], "label": "monocyte", "event": "e1"}
    first = record(project, **wish)  # type: ignore[arg-type]
    record(project, reader="A", cell=cells[0], label="lymphocyte", event="e2")
    assert record(project, **wish) == first  # type: ignore[arg-type]
    assert said(project) == {cells[0]: "lymphocyte"}
    with pytest.raises(ConflictError):
        record(project, **{**wish, "label": "neutrophil"})  # type: ignore[arg-type]
    with pytest.raises(ConflictError):
        record(project, **{**wish, "reader": "B"})  # type: ignore[arg-type]


def test_undo_brings_back_the_answer_before(project: Project, cells: list[int]) -> None:
    record(project, reader="A", cell=cells[0], label="monocyte", event="e1")
    record(project, reader="A", cell=cells[1], label="monocyte", event="e2")
    record(project, reader="A", cell=cells[0], label="lymphocyte", event="e3")
    taken = undo(project, reader="A", event="u1")
    assert taken is not None and (taken.event, taken.cell, taken.label) == (
        "e3", cells[0], "lymphocyte",
    )  # fmt: skip
    assert said(project) == {cells[0]: "monocyte", cells[1]: "monocyte"}
    assert undo(project, reader="A", event="u1") == taken  # the same wish, repeated
    assert [undo(project, reader="A", event=f"u{n}") for n in (2, 3, 4)][-1] is None
    assert said(project) == {}
    record(project, reader="A", cell=cells[0], label="neutrophil", event="e4")
    assert said(project) == {cells[0]: "neutrophil"}


def test_undo_of_one_event_among_others(project: Project, cells: list[int]) -> None:
    """Each window takes back what it recorded itself."""
    record(project, reader="A", cell=cells[0], label="monocyte", event="here")
    record(project, reader="A", cell=cells[1], label="monocyte", event="elsewhere")
    undo(project, reader="A", event="u1", target="here")
    assert said(project) == {cells[1]: "monocyte"}
    for target in ("here", "nothing"):
        with pytest.raises(ProjectError):
            undo(project, reader="A", event=event(), target=target)
    with pytest.raises(ProjectError):
        undo(project, reader="B", event=event(), target="elsewhere")
    with pytest.raises(ConflictError):
        undo(project, reader="A", event="elsewhere")


def test_readers_do_not_touch_each_other(project: Project, cells: list[int]) -> None:
    record(project, reader="A", cell=cells[0], label="monocyte", event=event())
    record(project, reader="B", cell=cells[0], label="lymphocyte", event=event())
    undo(project, reader="B", event=event())
    assert said(project) == {cells[0]: "monocyte"} and said(project, "B") == {}
    assert undo(project, reader="B", event=event()) is None
    assert labelling.readers(project) == ("A", "B")


def test_an_answer_is_never_changed_or_deleted(project: Project, cells: list[int]) -> None:
    record(project, reader="A", cell=cells[0], label="monocyte", event=event())
    for order in (
        "UPDATE label_events SET label = 'x'",
        "DELETE FROM label_events",
        "REPLACE INTO label_events SELECT * FROM label_events",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            project.store.connection().execute(order)
    assert said(project) == {cells[0]: "monocyte"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"cell": 10**6},
        {"label": "no such class"},
        {"label": None},
        {"verdict": "skip"},
        {"verdict": "maybe", "label": None},
        {"reader": "  "},
        {"event": ""},
    ],
)
def test_what_cannot_be_is_refused(
    wrong: dict[str, object], project: Project, cells: list[int]
) -> None:
    wish = {"reader": "A", "cell": cells[0], "label": "monocyte", "event": "e", **wrong}
    with pytest.raises(ProjectError):
        record(project, **wish)  # type: ignore[arg-type]
    assert labelling.readers(project) == ()


def test_the_queue_of_each_reader(project: Project) -> None:
    proposed = proposing.propose(project, 5)
    assert queue(project, "A") == proposed
    record(project, reader="A", cell=proposed[0], verdict="skip", event=event())
    record(project, reader="A", cell=proposed[2], label="monocyte", event=event())
    assert queue(project, "A") == [proposed[1], *proposed[3:], proposed[0]]
    assert queue(project, "B") == proposed
    undo(project, reader="A", event=event())
    assert queue(project, "A") == [*proposed[1:], proposed[0]]


def test_what_readers_agree_on_is_settled(project: Project, cells: list[int]) -> None:
    answers = {
        cells[0]: ("monocyte", "monocyte"),
        cells[1]: ("monocyte", "lymphocyte"),
        cells[2]: ("monocyte", None),
        cells[3]: ("neutrophil", "monocyte"),
    }
    for cell, given in answers.items():
        for reader, label in zip(("A", "B"), given, strict=True):
            kind = "label" if label else "unsure"
            record(project, reader=reader, cell=cell, verdict=kind, label=label, event=event())  # type: ignore[arg-type]
    settle(project, by="A", cell=cells[3], label="monocyte", event=event())
    found = settled(project)
    assert dict(found.labels) == {
        cells[0]: "monocyte", cells[2]: "monocyte", cells[3]: "monocyte",
    }  # fmt: skip
    assert found.disputed == {cells[1]: {"A": "monocyte", "B": "lymphocyte"}}
    assert found.unsure == {}
    record(project, reader="A", cell=cells[4], verdict="unsure", event=event())
    assert settled(project).unsure == {cells[4]: ("A",)}


def test_who_settles_is_in_the_audit_trail(project: Project, cells: list[int]) -> None:
    for reader, label in (("A", "monocyte"), ("B", "lymphocyte")):
        record(project, reader=reader, cell=cells[0], label=label, event=event())
    for _ in range(2):  # the answer to the first was lost
        settle(project, by="C", cell=cells[0], label="monocyte", event="s1")
    assert settled(project).labels == {cells[0]: "monocyte"}
    settle(project, by="B", cell=cells[0], verdict="skip", event="s2")
    assert list(settled(project).disputed) == [cells[0]]
    entries = [one for one in audit_trail.entries(project) if one.action == "settle"]
    told = [(one.by, one.detail["answer"]) for one in entries]
    assert told == [("C", "monocyte"), ("B", "taken back")]


def test_nobody_is_called_consensus(project: Project, cells: list[int]) -> None:
    for write in (
        lambda: record(
            project, reader=" Consensus", cell=cells[0], label="monocyte", event=event()
        ),
        lambda: settle(project, by=CONSENSUS, cell=cells[0], label="monocyte", event=event()),
        lambda: undo(project, reader=CONSENSUS, event=event()),
    ):
        with pytest.raises(ProjectError, match="stands for"):
            write()
    assert labelling.readers(project) == ()


def test_two_windows_at_once_lose_no_label(project: Project, cells: list[int]) -> None:
    with Project.open(project.images) as other, ThreadPoolExecutor(6) as pool:
        windows = [project, other]

        def press(number: int) -> None:
            record(
                windows[number % 2], reader="A", cell=cells[number % len(cells)],
                label="monocyte" if number < 60 else "lymphocyte", event=f"e{number}",
            )  # fmt: skip

        list(pool.map(press, range(90)))
        rows = other.store.rows("SELECT event FROM label_events")
        assert {row[0] for row in rows} == {f"e{number}" for number in range(90)}
        assert verdicts(project, "A") == verdicts(other, "A")


def test_labels_go_out_and_come_in(project: Project, cells: list[int]) -> None:
    names = {cell: path for path, cell in cells_by_path(project).items()}
    record(project, reader="A", cell=cells[0], label="monocyte", event=event())
    record(project, reader="A", cell=cells[1], verdict="not_a_cell", event=event())
    file = project.images.parent / "labels.csv"
    assert label_files.export_labels(project, file) == 2
    rows = sorted([f"{names[cells[0]]},monocyte", f"{names[cells[1]]},outside"])
    assert file.read_text() == "\n".join(["path,label", *rows, ""])
    assert label_files.import_labels(project, file, reader="B") == 2
    assert settled(project).not_cells == {cells[1]}
    assert label_files.import_labels(project, file, reader="B") == 0
    file.write_text(
        f"Path;Label\n{names[cells[0]]};MON\n{names[cells[2]]};segmented neutrophil\n"
        f"{names[cells[3]]};our class\n{names[cells[4]]};\n"
    )
    assert label_files.import_labels(project, file, reader="C") == 3
    assert said(project, "C") == {
        cells[0]: "monocyte", cells[2]: "neutrophil", cells[3]: "our class",
    }  # fmt: skip
    assert "our class" in project.classes()
    assert label_files.import_labels(project, file, reader="C") == 0


def test_a_new_class_of_a_file_is_not_another_that_is_in_use(
    project: Project, cells: list[int]
) -> None:
    """A class that only a label has, as after the way back to another model, comes last."""
    record(project, reader="A", cell=cells[0], label="monocyte", event="e")
    with project.store.writing() as connection:
        connection.execute(
            "INSERT INTO label_events (event, reader, cell, verdict, label, at) "
            "VALUES ('f', 'A', ?, 'label', 'blast', 'then')",
            (cells[1],),
        )
    names = list(cells_by_path(project))
    file = project.images.parent / "labels.csv"
    file.write_text(f'path,label\n{names[2]},"our\tclass"\n{names[3]},our class\n')
    assert label_files.import_labels(project, file, reader="B") == 2
    assert said(project, "B") == {cells[2]: "our class", cells[3]: "our class"}


def test_unsure_in_a_file_is_no_class(project: Project, cells: list[int]) -> None:
    names = list(cells_by_path(project))
    file = project.images.parent / "labels.csv"
    file.write_text(f"path,label\n{names[0]},Unsure\n")
    assert label_files.import_labels(project, file, reader="B") == 1
    assert label_files.import_labels(project, file, reader="B") == 0
    assert verdicts(project, "B")[cells[0]].verdict == "unsure"
    file.write_text(f"path,label\n{names[0]},unidentified\n")
    assert label_files.import_labels(project, file, reader="B") == 0
    with pytest.raises(ProjectError, match="bin of the page"):
        project.add_class("Unidentified", by="B")


def test_codes_and_patients_of_a_file_are_those_of_adapt(
    project: Project, cells: list[int]
) -> None:
    names = list(cells_by_path(project))
    file = project.images.parent / "labels.csv"
    file.write_text(f"path,label,patient\n{names[0]},PMY,7\n{names[1]},MON,\n")
    assert label_files.import_labels(project, file, reader="B") == 2
    assert said(project, "B") == {cells[0]: "promyelocyte", cells[1]: "monocyte"}
    assert project.groups() == {cells[0]: "7"}


def test_labels_that_contradict_each_other_are_refused(project: Project, cells: list[int]) -> None:
    name = next(iter(cells_by_path(project)))
    file = project.images.parent / "labels.csv"
    file.write_text(f"path,label\n{name},monocyte\n{name},our class\n")
    with pytest.raises(ProjectError, match="contradict"):
        label_files.import_labels(project, file, reader="B")
    assert said(project, "B") == {} and "our class" not in project.classes()
    file.write_text(f"path,label\n{name},monocyte\n{name},MON\n")
    assert label_files.import_labels(project, file, reader="B") == 1


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such names")
def test_odd_names_go_out_and_come_in(project: Project) -> None:
    for name in (" lead.png", "back\\slash.png"):
        draw_cell("monocyte", len(name)).save(project.images / name)
    importing.refresh(project)
    for name, cell in cells_by_path(project).items():
        if name in (" lead.png", "back\\slash.png"):
            record(project, reader="A", cell=cell, label="monocyte", event=event())
    file = project.images.parent / "labels.csv"
    assert label_files.export_labels(project, file) == 2
    assert label_files.import_labels(project, file, reader="B") == 2
    file.write_text("path,label\na\\monocyte-1.png ,monocyte\n")  # as Windows writes it
    assert label_files.import_labels(project, file, reader="B") == 1


def test_paths_of_a_file_are_those_of_adapt(project: Project) -> None:
    """Spelt with the accent apart, as on a Mac; with a dot in front; absolute."""
    draw_cell("monocyte", 70).save(project.images / unicodedata.normalize("NFD", "bürste.png"))
    importing.refresh(project)
    *names, odd = cells_by_path(project)
    written = [
        unicodedata.normalize("NFC", odd),
        f"./{names[0]}",
        str(project.images / names[1]),
        f"a/../{names[2]}",
    ]
    file = project.images.parent / "labels.csv"
    file.write_text("path,label\n" + "".join(f"{name},monocyte\n" for name in written), "utf-8")
    assert label_files.import_labels(project, file, reader="B") == 4
    cells = cells_by_path(project)
    assert set(said(project, "B")) == {cells[name] for name in (odd, *names[:3])}
    file.write_text(f"path,label\n{names[0]},monocyte\n./{names[0]},lymphocyte\n")
    with pytest.raises(ProjectError, match="contradict"):
        label_files.import_labels(project, file, reader="C")
    (project.images.parent / "outside.png").write_bytes((project.images / names[0]).read_bytes())
    file.write_text("path,label\n../outside.png,monocyte\n")
    with pytest.raises(ProjectError, match="not in the project"):
        label_files.import_labels(project, file, reader="C")


def test_labels_of_other_images_are_refused_as_a_whole(project: Project) -> None:
    file = project.images.parent / "labels.csv"
    name = next(iter(cells_by_path(project)))
    file.write_text(f"path,label\n{name},monocyte\nelsewhere.png,monocyte\n")
    with pytest.raises(ProjectError) as refused:
        label_files.import_labels(project, file, reader="B")
    assert "elsewhere.png" in str(refused.value)
    assert labelling.readers(project) == ()


def test_labels_of_lost_images_wait(project: Project, cells: list[int]) -> None:
    path = project.images / next(iter(cells_by_path(project)))
    record(project, reader="A", cell=cells[0], label="monocyte", event=event())
    content = path.read_bytes()
    path.unlink()
    importing.refresh(project)
    assert dict(settled(project).labels) == {}
    with pytest.raises(ProjectError):
        record(project, reader="A", cell=cells[0], label="lymphocyte", event=event())
    path.write_bytes(content)
    importing.refresh(project)
    assert dict(settled(project).labels) == {cells[0]: "monocyte"}
