"""The database of a project: a connection a thread, and transactions that last."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hemashift.app.migrations import migrate
from hemashift.app.refusals import ConflictError, ProjectError, UnsavedError, damaged

__all__ = ["ConflictError", "ProjectError", "ProjectStore", "UnsavedError", "insert"]

# Another window writes for milliseconds; only a stalled disk takes this long.
_SECONDS_TO_WAIT = 30.0
_PRAGMAS = (
    "synchronous = EXTRA",
    "foreign_keys = ON",
    "cache_spill = OFF",  # what is being written locks readers out at its end only
)


def insert(connection: sqlite3.Connection, table: str, **values: Any) -> int:
    """Add a row.

    Args:
        connection: From `ProjectStore.writing`.
        table: Name of the table, from the code and never from outside.
        **values: Column -> value.

    Returns:
        Number of the row.
    """
    marks = ", ".join("?" * len(values))
    done = connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values())
    )
    return done.lastrowid or 0


def _address(file: Path) -> str:
    """Return the URI of a file, also of one on a Windows share.

    Examples:
        >>> _address(Path("/data/a ?.hemashift"))
        'file:///data/a%20%3F.hemashift'
    """
    path = file.absolute().as_posix()
    return "file://" + ("" if path.startswith("/") else "/") + quote(os.fsencode(path))


class ProjectStore:
    """The SQLite database of one project.

    All of it is in the one file after every transaction, so that a copy of the file is whole as
    long as nothing is being written; there is no WAL beside it. Reading waits for writing only
    while a transaction ends, some milliseconds. `synchronous` is EXTRA: when a transaction has
    ended well, it is on disk and survives a crash of the computer.

    Args:
        file: The database; made where there is none, brought to the present schema where it is
            older.

    Raises:
        ProjectError: The file is no project, of a newer hemashift, damaged, or cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._connections: dict[threading.Thread, sqlite3.Connection] = {}
        self._lock = threading.Lock()
        self._mode = "rwc"
        try:
            migrate(self.connection(), file)
            self._check_whole()
        except (sqlite3.DatabaseError, OSError) as error:
            self.close()
            if "malformed" in str(error):
                raise damaged(error, file) from error
            raise ProjectError(
                "this file is not a project, or cannot be written",
                found=str(error),
                where=file,
                hint="check that you may write there and that the disk is not full",
            ) from error
        except ProjectError:
            self.close()
            raise
        # Where the file is moved away, a later connection must not put an empty one there.
        self._mode = "rw"

    def _check_whole(self) -> None:
        found = self.value("PRAGMA quick_check(1)")
        if found != "ok":
            raise damaged(found, self.file)

    def connection(self) -> sqlite3.Connection:
        """Return this thread's connection."""
        thread = threading.current_thread()
        with self._lock:
            found = self._connections.get(thread)
            if found is None:
                for ended in [one for one in self._connections if not one.is_alive()]:
                    self._connections.pop(ended).close()
                found = self._connections[thread] = self._connect()
        return found

    def _connect(self) -> sqlite3.Connection:
        made = sqlite3.connect(
            f"{_address(self.file)}?mode={self._mode}",
            uri=True,
            timeout=_SECONDS_TO_WAIT,
            isolation_level=None,  # transactions begin and end where `writing` says
            check_same_thread=False,  # used by its own thread, but closed by another
        )
        made.row_factory = sqlite3.Row
        # An earlier hemashift left a WAL; where it still has the project open, it stays for now.
        with suppress(sqlite3.OperationalError):
            made.execute("PRAGMA journal_mode = DELETE")
        for pragma in _PRAGMAS:
            made.execute(f"PRAGMA {pragma}")
        return made

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection inside a transaction; at the end all of it is on disk, or none.

        Within another `writing` of the same thread it is part of that one.

        Raises:
            UnsavedError: It could not be saved.
        """
        try:
            connection = self.connection()
            if connection.in_transaction:
                yield connection
                return
            if not self.file.exists():  # what is open would be written, into nowhere
                raise sqlite3.OperationalError("the file was moved, renamed or deleted")
            # IMMEDIATE: what is read inside is still true when it is written.
            connection.execute("BEGIN IMMEDIATE")
            try:
                connection.execute("UPDATE revision SET number = number + 1")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:  # a full disk has ended it already
                    connection.execute("ROLLBACK")
                raise
        except sqlite3.OperationalError as error:
            raise UnsavedError(
                "this could not be saved",
                found=str(error),
                where=self.file,
                hint="check that the file is still there, that the disk is not full and that you "
                "may write, then repeat",
            ) from error

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """Return all rows of a query."""
        return self.connection().execute(query, values).fetchall()

    def tuples(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query as tuples: for many rows, in half the time."""
        cursor = self.connection().cursor()
        cursor.row_factory = None
        return cursor.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """Return the first row of a query, or None."""
        found: sqlite3.Row | None = self.connection().execute(query, values).fetchone()
        return found

    def value(self, query: str, *values: Any) -> Any:
        """Return the first value of the first row of a query, or None."""
        found = self.row(query, *values)
        return None if found is None else found[0]

    @property
    def revision(self) -> int:
        """A number that rises with every transaction of any window or process."""
        return int(self.value("SELECT number FROM revision"))

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            while self._connections:
                self._connections.popitem()[1].close()
