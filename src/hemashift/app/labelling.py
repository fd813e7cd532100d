"""Labels: every keystroke an event that is never changed; the present state follows from them.

Readers are blind to each other: nothing here shows one reader what another has said, except
`settled`, which is for adapting and for the review.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

from hemashift.app import audit_trail
from hemashift.app.names import now, one_line
from hemashift.app.refusals import ConflictError, ProjectError
from hemashift.app.store import insert
from hemashift.taxonomy import OUTSIDE

if TYPE_CHECKING:
    from hemashift.app.project import Project

Verdict = Literal["label", "not_a_cell", "unsure", "skip"]
CONSENSUS = "consensus"
"""The reader whose answers settle disagreements; nobody's name, see `settle`."""
NOT_A_CELL = "not a cell"
"""How the verdict `not_a_cell` is called beside classes."""

_COLUMNS = "event, reader, cell, verdict, label, at"


@dataclass(frozen=True)
class Judged:
    """What a reader said about a cell.

    Attributes:
        event: Id of the event, made by the caller.
        reader: Who.
        cell: Id of the cell.
        verdict: What kind of answer.
        label: The class, where `verdict` is "label".
        at: When, ISO 8601 in UTC.
    """

    event: str
    reader: str
    cell: int
    verdict: Verdict
    label: str | None
    at: str

    @property
    def answer(self) -> str | None:
        """The class, `NOT_A_CELL`, or None where the reader gave no answer."""
        return NOT_A_CELL if self.verdict == "not_a_cell" else self.label


@dataclass(frozen=True)
class Settled:
    """What is known of the cells from all readers together.

    Attributes:
        labels: Cell -> class, where `CONSENSUS` or else all who gave an answer agree. Who skipped
            a cell or was unsure gave none.
        not_cells: Cells that are, by the same rule, not cells.
        disputed: Cells about which readers disagree: cell -> reader -> answer.
        unsure: Cells that readers were unsure of and nobody gave an answer to: cell -> readers.
    """

    labels: Mapping[int, str]
    not_cells: frozenset[int]
    disputed: Mapping[int, Mapping[str, str]]
    unsure: Mapping[int, tuple[str, ...]]

    def for_adapting(self) -> dict[int, str]:
        """Return what the model is adapted to: classes, and `outside` for what is no cell."""
        return {**self.labels, **dict.fromkeys(sorted(self.not_cells), OUTSIDE)}


def record(
    project: Project,
    *,
    reader: str,
    cell: int,
    event: str,
    verdict: Verdict = "label",
    label: str | None = None,
) -> Judged:
    """Record what a reader says about a cell; it is on disk when this returns.

    A later answer of the same reader to the same cell takes the place of the earlier one. An
    `event` that is recorded already is not recorded again.

    Args:
        project: The project.
        reader: Who; any name but `CONSENSUS`.
        cell: Id of the cell.
        event: Id of this keystroke, made by the caller.
        verdict: What kind of answer.
        label: One of `project.classes()`, where `verdict` is "label".

    Raises:
        ProjectError: No such cell or class, or no reader.
        ConflictError: `event` was used for something else.
    """
    return _record(project, _person(reader), cell, event, verdict, label)[0]


def settle(
    project: Project,
    *,
    by: str,
    cell: int,
    event: str,
    verdict: Verdict = "label",
    label: str | None = None,
) -> Judged:
    """Settle what a cell is for all readers, as `CONSENSUS`; the audit trail says who did.

    Args:
        project: The project.
        by: Who settles it.
        cell: Id of the cell.
        event: Id of this keystroke, made by the caller.
        verdict: What kind of answer; "skip" takes the settlement back.
        label: One of `project.classes()`, where `verdict` is "label".

    Raises:
        ProjectError: As `record`.
        ConflictError: As `record`.
    """
    by = _person(by)
    with project.store.writing() as connection:
        said, new = _record(project, CONSENSUS, cell, event, verdict, label)
        if new:
            answer = said.answer or "taken back"
            audit_trail.append(connection, by, "settle", cell=cell, answer=answer)
    return said


def _record(
    project: Project, reader: str, cell: int, event: str, verdict: Verdict, label: str | None
) -> tuple[Judged, bool]:
    """Record an answer; return it, and whether it was not recorded before."""
    event = one_line(event, "id of the event")
    with project.store.writing() as connection:
        known = _event(project, event)
        if known is not None:
            if (known.reader, known.cell, known.verdict, known.label) != (
                reader, cell, verdict, label
            ):  # fmt: skip
                raise ConflictError("this id was used for another answer", found=event)
            return known, False
        _check(project, cell, verdict, label)
        made = Judged(event, reader, cell, verdict, label, now())
        insert(connection, "label_events", **asdict(made))
    return made, True


def _person(reader: str) -> str:
    """Return the name of a reader as it is written; refuse the one that stands for all."""
    name = one_line(reader)
    if name.casefold() == CONSENSUS:
        raise ProjectError(
            "this name stands for what readers have settled together",
            expected="the name or initials of one person",
            found=name,
        )
    return name


def undo(project: Project, *, reader: str, event: str, target: str | None = None) -> Judged | None:
    """Take back an answer; what the reader had said about that cell before holds again.

    Args:
        project: The project.
        reader: Who.
        event: Id of this keystroke, made by the caller.
        target: Event to take back; by default the reader's latest that was not taken back.

    Returns:
        The answer that was taken back, so that its cell can be shown again; None where there
        was nothing to take back.

    Raises:
        ProjectError: `target` is not an answer of this reader, or was taken back before.
    """
    event, reader = one_line(event, "id of the event"), _person(reader)
    with project.store.writing() as connection:
        again = project.store.row(
            f"SELECT {_COLUMNS} FROM label_events "
            "WHERE id = (SELECT undoes FROM label_events WHERE event = ?)",
            event,
        )
        if again is not None:
            return _judged(again)
        if _event(project, event) is not None:
            raise ConflictError("this id was used for an answer", found=event)
        found = project.store.row(
            f"SELECT id, {_COLUMNS} FROM standing_answers "
            "WHERE reader = ? AND event = COALESCE(?, event) ORDER BY id DESC",
            reader,
            target,
        )
        if found is None:
            if target is not None:
                raise ProjectError("this answer cannot be taken back", found=target)
            return None
        number, *row = found
        insert(
            connection,
            "label_events",
            event=event,
            reader=reader,
            cell=found["cell"],
            verdict="undo",
            undoes=number,
            at=now(),
        )
    return _judged(row)


def verdicts(project: Project, reader: str) -> dict[int, Judged]:
    """Return what holds for a reader: cell -> answer."""
    rows = project.store.rows(f"SELECT {_COLUMNS} FROM answers WHERE reader = ?", one_line(reader))
    return {row["cell"]: _judged(row) for row in rows}


def queue(project: Project, reader: str) -> list[int]:
    """Return the proposed cells that a reader has yet to answer, in the order of proposal.

    Cells that the reader skipped come last.
    """
    said = verdicts(project, reader)
    proposed = [row[0] for row in project.store.rows(
        "SELECT cell FROM proposals JOIN cells ON cell = cells.id WHERE status = 'ready' "
        "ORDER BY proposals.id"
    )]  # fmt: skip
    fresh = [cell for cell in proposed if cell not in said]
    return fresh + [c for c in proposed if c in said and said[c].verdict == "skip"]


def readers(project: Project) -> tuple[str, ...]:
    """Return who has labelled, in the order of their first answer."""
    rows = project.store.rows("SELECT reader FROM label_events GROUP BY reader ORDER BY MIN(id)")
    return tuple(row[0] for row in rows)


def settled(project: Project) -> Settled:
    """Return what is known of the cells from all readers together; cells that are gone left out."""
    said: dict[int, dict[str, str]] = {}
    unsure: dict[int, tuple[str, ...]] = {}
    for cell, reader, verdict, label in project.store.tuples(
        "SELECT cell, reader, verdict, label FROM answers JOIN cells ON cell = cells.id "
        "WHERE verdict <> 'skip' AND status = 'ready' ORDER BY answers.id"
    ):
        if verdict == "unsure":
            unsure[cell] = (*unsure.get(cell, ()), reader)
        else:
            said.setdefault(cell, {})[reader] = label or NOT_A_CELL
    labels, not_cells, disputed = {}, set(), {}
    for cell, answers in said.items():
        last_word = answers.get(CONSENSUS)
        agreed = {last_word} if last_word is not None else set(answers.values())
        if len(agreed) > 1:
            disputed[cell] = answers
        elif NOT_A_CELL in agreed:
            not_cells.add(cell)
        else:
            labels[cell] = agreed.pop()
    unsure = {cell: names for cell, names in unsure.items() if cell not in said}
    return Settled(labels, frozenset(not_cells), disputed, unsure)


def _check(project: Project, cell: int, verdict: str, label: str | None) -> None:
    if project.store.value("SELECT status FROM cells WHERE id = ?", cell) != "ready":
        raise ProjectError("there is no such cell", found=str(cell))
    if verdict not in get_args(Verdict):
        raise ProjectError("unknown answer", expected=", ".join(get_args(Verdict)), found=verdict)
    if (verdict == "label") != (label is not None):
        raise ProjectError("a class belongs to the answer `label`, and only to it")
    if label is not None and label not in project.classes():
        raise ProjectError(
            "there is no such class",
            expected=", ".join(project.classes()),
            found=label,
            hint="add the class to the project first",
        )


def _event(project: Project, event: str) -> Judged | None:
    row = project.store.row(f"SELECT {_COLUMNS} FROM label_events WHERE event = ?", event)
    return None if row is None else _judged(row)


def _judged(row: sqlite3.Row | list[Any]) -> Judged:
    event, reader, cell, verdict, label, at = row
    return Judged(event, reader, cell, cast(Verdict, verdict), label, at)
