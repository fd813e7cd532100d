"""From version 1 of the schema upwards, without losing anything."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from pathlib import Path

import pytest

from hemashift.app import migrations
from hemashift.app.migrations import Step, migrate, steps
from hemashift.app.store import ProjectError, ProjectStore

FIRST_LABEL = (
    "INSERT INTO label_events (event, reader, cell, verdict, label, at) "
    "VALUES ('e', 'A', 1, 'label', 'monocyte', 'then')"
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A project at version 1 with one cell and one label."""
    file = tmp_path / "old.hemashift"
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection, file, upto=1)
    connection.execute(
        "INSERT INTO cells (path, sha256, size, modified, status) VALUES ('a', 'x', 1, 1, 'ready')"
    )
    connection.execute(FIRST_LABEL)
    connection.close()
    return file


def version(file: Path) -> int:
    return int(sqlite3.connect(file).execute("PRAGMA user_version").fetchone()[0])


def test_an_old_project_is_brought_up(old: Path) -> None:
    assert version(old) == 1
    store = ProjectStore(old)
    assert version(old) == len(steps()) > 1
    assert store.rows("SELECT cell, label FROM answers")[0]["label"] == "monocyte"
    numbers = [row[0] for row in store.rows("SELECT number FROM schema_steps")]
    assert numbers == [step.number for step in steps()]


def test_a_copy_of_the_old_project_is_kept(old: Path) -> None:
    ProjectStore(old)
    copy = old.with_name("old.hemashift.v1")
    assert version(copy) == 1
    assert sqlite3.connect(copy).execute("SELECT COUNT(*) FROM label_events").fetchone() == (1,)


class Interrupted:
    """A connection whose copy ends halfway."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.execute = connection.execute

    def backup(self, copy: sqlite3.Connection) -> None:
        copy.execute("CREATE TABLE half (a)")
        copy.commit()
        raise KeyboardInterrupt


def test_half_a_copy_is_never_taken_for_the_copy(old: Path) -> None:
    connection = sqlite3.connect(old, isolation_level=None)
    with pytest.raises(KeyboardInterrupt):
        migrate(Interrupted(connection), old)  # type: ignore[arg-type]
    connection.close()
    assert [path.name for path in old.parent.iterdir()] == [old.name]
    assert version(old) == 1
    ProjectStore(old).close()
    assert version(old.with_name("old.hemashift.v1")) == 1


def test_a_copy_that_cannot_be_written_is_said(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(migrations, "atomic_write", full)
    with pytest.raises(ProjectError, match="cannot be written") as refused:
        ProjectStore(old)
    assert os.strerror(errno.ENOSPC) in str(refused.value)
    assert version(old) == 1


def test_a_present_project_is_not_copied(tmp_path: Path) -> None:
    file = tmp_path / "new.hemashift"
    for _ in range(2):
        ProjectStore(file).close()
    assert list(tmp_path.glob("*.v*")) == []


@pytest.mark.parametrize("upto", range(1, len(steps()) + 1))
def test_every_version_leads_to_the_same_schema(upto: int, tmp_path: Path) -> None:
    def schema(file: Path) -> list[tuple[str, ...]]:
        rows = sqlite3.connect(file).execute("SELECT type, name, sql FROM sqlite_master")
        return sorted(rows.fetchall())

    file = tmp_path / "stepwise.hemashift"
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection, file, upto=upto)
    connection.close()
    ProjectStore(file).close()
    ProjectStore(tmp_path / "at-once.hemashift").close()
    assert schema(file) == schema(tmp_path / "at-once.hemashift")


@pytest.mark.parametrize(
    ("limit", "rate"), [("0.7", 0.3), ("0", 0.99), ("1", 0.001), ("0.95", 0.05), (None, None)]
)
def test_a_limit_of_doubt_becomes_an_error_rate(
    limit: str | None, rate: float | None, tmp_path: Path
) -> None:
    file = tmp_path / "old.hemashift"
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection, file, upto=3)
    if limit is not None:
        connection.execute("INSERT INTO settings VALUES ('doubt_limit', ?)", (limit,))
    connection.close()
    store = ProjectStore(file)
    kept = {row[0]: json.loads(row[1]) for row in store.rows("SELECT name, value FROM settings")}
    assert kept == ({} if rate is None else {"max_error": rate})


def test_a_project_that_was_classified_before_can_be_opened(tmp_path: Path) -> None:
    file = tmp_path / "old.hemashift"
    connection = sqlite3.connect(file, isolation_level=None)
    migrate(connection, file, upto=3)
    connection.execute(
        "INSERT INTO cells (path, sha256, size, modified, status) VALUES ('a', 'x', 1, 1, 'ready')"
    )
    connection.execute(
        "INSERT INTO versions (name, origin, folder, hash, classes, made_by, at) "
        "VALUES ('m', 'start', '001', 'h', '[]', 'A', 'then')"
    )
    connection.execute("INSERT INTO predictions VALUES (1, 1, 'monocyte', 0.9, 'x', 0.2, x'00')")
    connection.close()
    assert ProjectStore(file).tuples("SELECT label, outside FROM predictions") == [
        ("monocyte", None)
    ]


def test_a_step_that_fails_changes_nothing(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Step(2, "bad", "CREATE TABLE half (a);\nINSERT INTO nowhere VALUES (1);\n")
    monkeypatch.setattr(migrations, "steps", lambda: (steps()[0], bad))
    with pytest.raises(ProjectError):
        ProjectStore(old)
    connection = sqlite3.connect(old)
    assert version(old) == 1
    assert connection.execute("SELECT COUNT(*) FROM label_events").fetchone() == (1,)
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    assert "half" not in tables


def test_a_project_of_a_newer_hemashift_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "new.hemashift"
    ProjectStore(file).close()
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute(f"PRAGMA user_version = {len(steps()) + 1}")
    connection.close()
    with pytest.raises(ProjectError, match="newer"):
        ProjectStore(file)
