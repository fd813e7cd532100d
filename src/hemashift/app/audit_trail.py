"""The audit trail: who did what and when; entries are only ever added, each bound to the last."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hemashift.app.names import now
from hemashift.app.store import insert

if TYPE_CHECKING:
    from hemashift.app.project import Project

_COLUMNS = "number, at, made_by, action, detail, hash"


@dataclass(frozen=True)
class Entry:
    """One entry.

    Attributes:
        number: 1, 2, ...
        at: When, ISO 8601 in UTC.
        by: Who.
        action: What, such as "sign".
        detail: What exactly, as JSON values.
        hash: SHA-256 of this entry and the hash before it.
    """

    number: int
    at: str
    by: str
    action: str
    detail: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class Check:
    """Whether the audit trail is as it was written.

    Attributes:
        entries: Number of entries.
        broken: Number of the first entry that was changed or follows a missing one, or None.
        head: Hash of the last entry; kept elsewhere, it also shows that no entry was cut off.
    """

    entries: int
    broken: int | None
    head: str


def append(connection: sqlite3.Connection, by: str, action: str, **detail: Any) -> None:
    """Add an entry; call it inside the transaction of what it is about.

    Args:
        connection: From `Store.writing`, so that nobody adds an entry in between.
        by: Who.
        action: What, in one word.
        **detail: What exactly, as JSON values.
    """
    last = connection.execute("SELECT number, hash FROM audit ORDER BY number DESC").fetchone()
    number, before = (0, "") if last is None else last
    text = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    row = (number + 1, now(), by, action, text)
    values = dict(zip(_COLUMNS.split(", "), (*row, _hash(before, row)), strict=True))
    insert(connection, "audit", **values)


def entries(project: Project, *, after: int = 0, limit: int = 500) -> list[Entry]:
    """Return entries, the earliest first.

    Args:
        project: The project.
        after: Leave out the entries up to this number.
        limit: The most to return.
    """
    found = project.store.rows(
        f"SELECT {_COLUMNS} FROM audit WHERE number > ? ORDER BY number LIMIT ?", after, limit
    )
    return [
        Entry(number, at, by, action, json.loads(detail), digest)
        for number, at, by, action, detail, digest in found
    ]


def head(project: Project) -> str:
    """Return the hash of the last entry; empty where there is none."""
    found = project.store.value("SELECT hash FROM audit ORDER BY number DESC")
    return "" if found is None else str(found)


def verify(project: Project) -> Check:
    """Compute the chain of hashes anew."""
    before, broken, count = "", None, 0
    for *row, digest in project.store.rows(f"SELECT {_COLUMNS} FROM audit ORDER BY number"):
        count += 1
        if broken is None and (row[0] != count or _hash(before, tuple(row)) != digest):
            broken = int(row[0])
        before = digest
    return Check(count, broken, before)


def _hash(before: str, row: tuple[Any, ...]) -> str:
    return hashlib.sha256(json.dumps([before, *row], ensure_ascii=False).encode()).hexdigest()
