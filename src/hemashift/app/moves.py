"""Cells that people put into another bin: events that are never changed, as labels are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemashift.app.names import now, one_line
from hemashift.app.refusals import ConflictError, ProjectError
from hemashift.app.store import insert
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project


@dataclass(frozen=True)
class Moved:
    """Cells that a person put into a bin.

    Attributes:
        event: Id of the event, made by the caller.
        reader: Who.
        bin: Where to.
        cells: Which.
        at: When, ISO 8601 in UTC.
    """

    event: str
    reader: str
    bin: str
    cells: tuple[int, ...]
    at: str


def reclassify(
    project: Project, *, reader: str, cells: Sequence[int], bin: str, event: str
) -> Moved:
    """Put cells into a bin, all or none; it is on disk when this returns.

    Args:
        project: The project.
        reader: Who.
        cells: Ids.
        bin: One of `project.classes()`, `unidentified` or `outside`.
        event: Id of this action, made by the caller; repeated, it changes nothing.

    Raises:
        ProjectError: No such cell or bin, or no reader.
        ConflictError: `event` was used for something else.
    """
    event, reader = one_line(event, "id of the event"), one_line(reader)
    wanted = tuple(sorted(set(cells)))
    with project.store.writing() as connection:
        number = project.store.value("SELECT id FROM moves WHERE event = ?", event)
        if number is not None:
            known = _read(project, number)
            if known is None or (known.reader, known.bin, known.cells) != (reader, bin, wanted):
                raise ConflictError("this id was used for something else", found=event)
            return known
        _check(project, wanted, bin)
        made = Moved(event, reader, bin, wanted, now())
        number = insert(connection, "moves", event=event, reader=reader, bin=bin, at=made.at)
        connection.executemany(
            "INSERT INTO moved_cells (move, cell) VALUES (?, ?)", [(number, one) for one in wanted]
        )
    return made


def undo_review(project: Project, *, reader: str, event: str) -> Moved | None:
    """Take back the reader's latest move that was not taken back.

    Args:
        project: The project.
        reader: Who.
        event: Id of this action, made by the caller; repeated, it takes back nothing more.

    Returns:
        The move that was taken back; None where there was none.

    Raises:
        ConflictError: `event` was used for something else.
    """
    event, reader = one_line(event, "id of the event"), one_line(reader)
    with project.store.writing() as connection:
        again = project.store.row("SELECT undoes FROM moves WHERE event = ?", event)
        if again is not None:
            if again["undoes"] is None:
                raise ConflictError("this id was used for something else", found=event)
            return _read(project, again["undoes"])
        number = project.store.value("SELECT MAX(id) FROM standing_moves WHERE reader = ?", reader)
        if number is None:
            return None
        insert(connection, "moves", event=event, reader=reader, undoes=number, at=now())
        return _read(project, number)


def standing(project: Project, reader: str | None = None) -> dict[int, tuple[str, str]]:
    """Return where people put cells last: cell -> bin and who.

    Args:
        project: The project.
        reader: Only moves of this reader.
    """
    rows = project.store.tuples(
        "SELECT cell, bin, reader FROM standing_moves JOIN moved_cells ON move = id "
        "WHERE reader = COALESCE(?, reader) ORDER BY id",
        reader,
    )
    return {cell: (bin, who) for cell, bin, who in rows}


def order(project: Project, reader: str | None = None) -> dict[int, int]:
    """Return for each cell that people moved a number that is the higher, the later it was."""
    rows = project.store.rows(
        "SELECT cell, MAX(id) FROM standing_moves JOIN moved_cells ON move = id "
        "WHERE reader = COALESCE(?, reader) GROUP BY cell",
        reader,
    )
    return {row[0]: row[1] for row in rows}


def _check(project: Project, cells: Sequence[int], bin: str) -> None:
    bins = (*project.classes(), UNIDENTIFIED, OUTSIDE)
    if bin not in bins:
        raise ProjectError("there is no such bin", expected=", ".join(bins), found=bin)
    ready = {row[0] for row in project.store.rows("SELECT id FROM cells WHERE status = 'ready'")}
    unknown = [cell for cell in cells if cell not in ready]
    if unknown or not cells:
        raise ProjectError(
            "there is no such cell" if unknown else "no cell is named",
            found=", ".join(map(str, unknown[:5])),
        )


def _read(project: Project, number: int) -> Moved | None:
    """Return a move; None for an undo."""
    row = project.store.row("SELECT event, reader, bin, at FROM moves WHERE id = ?", number)
    if row is None or row["bin"] is None:
        return None
    cells = project.store.rows("SELECT cell FROM moved_cells WHERE move = ? ORDER BY cell", number)
    return Moved(row["event"], row["reader"], row["bin"], tuple(c[0] for c in cells), row["at"])
