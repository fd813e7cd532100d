"""Putting files into the table of cells: which are new, moved, changed or gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from hemashift.app import audit_trail
from hemashift.app.store import insert

if TYPE_CHECKING:
    from hemashift.app.project import Project


@dataclass(frozen=True)
class Imported:
    """What an import found.

    Attributes:
        new: Images added.
        moved: Images that were found again under another name, with all that is known of them.
        changed: Images whose file now holds another picture; labels of the old one stay with it.
        gone: Images that are no longer there.
        problems: Images that cannot be read, of all in the folder.
        ready: Images that can be used, of all in the folder.
    """

    new: int
    moved: int
    changed: int
    gone: int
    problems: int
    ready: int


class File(NamedTuple):
    """A file of the folder, looked at.

    Attributes:
        path: Relative to the folder, with /.
        size: In bytes; -1 where the file cannot be reached.
        modified: In nanoseconds, see `pictures.modified`.
        sha256: Hash of its content, or None where it cannot be read.
        problem: Why it cannot be used, or empty.
        hint: What to do about it.
    """

    path: str
    size: int
    modified: int
    sha256: str | None = None
    problem: str = ""
    hint: str = ""

    @property
    def status(self) -> str:
        """Whether it can be used."""
        return "problem" if self.problem else "ready"


class Filing:
    """Puts files into the table and counts what they were.

    Args:
        project: The project.
        lost: Cells whose file is no longer where it was.
    """

    def __init__(self, project: Project, lost: Sequence[int]) -> None:
        self._project = project
        self._lost = set(lost)
        self.new = self.moved = self.changed = 0

    def put(self, files: Sequence[File]) -> None:
        """Put files into the database, all of them or none."""
        with self._project.store.writing() as connection:
            homeless = []
            for file in files:
                old = self._project.store.row(
                    "SELECT id, sha256 FROM cells WHERE path = ? AND status <> 'gone'", file.path
                )
                if old is not None and old["sha256"] == file.sha256:
                    self._lost.discard(old["id"])  # another process has found it under this name
                    self._update(connection, old["id"], file)
                    continue
                if old is not None:
                    connection.execute(
                        "UPDATE cells SET status = 'gone' WHERE id = ?", (old["id"],)
                    )
                homeless.append((file, old is None))
            for file, is_new in homeless:
                self._put(connection, file, is_new)

    def _put(self, connection: sqlite3.Connection, file: File, is_new: bool) -> None:
        """Give a file the cell of its content, or a new one."""
        self.changed += not is_new
        known = self._same_content(file)
        if known is not None:
            self._lost.discard(known)
            self.moved += is_new
            self._update(connection, known, file)
        else:
            self.new += is_new
            insert(connection, "cells", **file._asdict(), status=file.status)

    def _update(self, connection: sqlite3.Connection, cell: int, file: File) -> None:
        connection.execute(
            "UPDATE cells SET path = ?, size = ?, modified = ?, sha256 = ?, problem = ?, hint = ?, "
            "status = ? WHERE id = ?",
            (*file, file.status, cell),
        )

    def _same_content(self, file: File) -> int | None:
        """Return a cell of this content whose file is no longer there, best of the same name."""
        rows = self._project.store.rows(
            "SELECT id, status FROM cells WHERE sha256 = ? ORDER BY path = ? DESC, id",
            file.sha256,
            file.path,
        )
        free = (row["id"] for row in rows if row["status"] == "gone" or row["id"] in self._lost)
        return next(free, None)

    def finish(self) -> Imported:
        """Mark what is no longer there, and return what was found."""
        with self._project.store.writing() as connection:
            connection.executemany(
                "UPDATE cells SET status = 'gone' WHERE id = ?", [(cell,) for cell in self._lost]
            )
            rows = connection.execute("SELECT status, COUNT(*) FROM cells GROUP BY status")
            states = {row[0]: row[1] for row in rows}
            found = Imported(
                self.new,
                self.moved,
                self.changed,
                len(self._lost),
                states.get("problem", 0),
                states.get("ready", 0),
            )
            if found.new or found.moved or found.changed or found.gone:
                audit_trail.append(connection, "hemashift", "import", **vars(found))
        return found
