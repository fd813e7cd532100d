"""Bringing the database of a project to the present schema, step by numbered step.

Each step is a file `schema/NNNN_what.sql`. A step that was released is never changed; what is to
be different goes into a further step.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from hemashift.app.refusals import ProjectError
from hemashift.files import atomic_write


class Step(NamedTuple):
    """One step of the schema.

    Attributes:
        number: Version of the schema after it.
        name: What it brings.
        script: SQL statements.
    """

    number: int
    name: str
    script: str


@cache
def steps() -> tuple[Step, ...]:
    """Return all steps in order.

    Examples:
        >>> [step.number for step in steps()] == list(range(1, len(steps()) + 1))
        True
    """
    folder = resources.files("hemashift.app") / "schema"
    files = sorted(
        (one for one in folder.iterdir() if one.name.endswith(".sql")), key=lambda f: f.name
    )
    found = []
    for file in files:
        number, _, name = file.name.removesuffix(".sql").partition("_")
        found.append(Step(int(number), name.replace("_", " "), file.read_text(encoding="utf-8")))
    return tuple(found)


def migrate(connection: sqlite3.Connection, file: Path, upto: int | None = None) -> int:
    """Bring a database to a version of the schema, by default the present one.

    Before an older project is changed, a copy of it is put beside it, `<name>.v<version>`.

    Args:
        connection: An open connection to it.
        file: The database.
        upto: Version to stop at.

    Returns:
        The version before.

    Raises:
        ProjectError: It was made by a newer hemashift, or is some other database.
        sqlite3.DatabaseError: It is no database, or cannot be written; nothing was changed.
        OSError: The copy cannot be written; nothing was changed.
    """
    before = _version(connection, file)
    wanted = steps()[:upto]
    if before > len(steps()):
        raise ProjectError(
            "the project was made by a newer hemashift",
            expected=f"schema version {len(steps())} or below",
            found=str(before),
            where=file,
            hint="pip install --upgrade hemashift",
        )
    if 0 < before < len(wanted):
        _copy(connection, file.with_name(f"{file.name}.v{before}"))
    for step in wanted[before:]:
        _take(connection, step)
    return before


def _take(connection: sqlite3.Connection, step: Step) -> None:
    """Take one step, whole or not at all; if another process was faster, do nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        taken = connection.execute("PRAGMA user_version").fetchone()[0]
        if taken < step.number:
            for statement in _statements(step.script):
                connection.execute(statement)
            connection.execute(
                "INSERT INTO schema_steps (number, name, at) VALUES (?, ?, ?)",
                (step.number, step.name, datetime.now(UTC).isoformat(timespec="seconds")),
            )
            connection.execute(f"PRAGMA user_version = {step.number:d}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, file: Path) -> int:
    """Return the version of the schema, 0 for an empty database."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    if tables and "schema_steps" not in tables:
        raise ProjectError("this database is not a project of hemashift", where=file)
    return version


def _statements(script: str) -> Iterator[str]:
    """Yield the statements of a script; a trigger is one, semicolons and all."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    if not target.exists():
        with atomic_write(target) as aside:
            copy = sqlite3.connect(aside)
            try:
                connection.backup(copy)
            finally:
                copy.close()
