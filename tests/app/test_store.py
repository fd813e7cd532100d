"""Transactions, threads and two windows at once."""

from __future__ import annotations

import os
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hemashift.app.store import ProjectError, ProjectStore, UnsavedError, insert


def put(store: ProjectStore, name: str) -> None:
    with store.writing() as connection:
        insert(connection, "settings", name=name, value="1")


def names(store: ProjectStore) -> set[str]:
    return {row[0] for row in store.rows("SELECT name FROM settings")}


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p.hemashift")
    with pytest.raises(RuntimeError), store.writing() as connection:
        insert(connection, "settings", name="a", value="1")
        raise RuntimeError
    assert names(store) == set()
    put(store, "b")
    assert names(store) == {"b"}


def test_a_damaged_file_is_called_so(tmp_path: Path) -> None:
    file = tmp_path / "p.hemashift"
    store = ProjectStore(file)
    for number in range(500):
        put(store, f"{number:0>60}")
    store.close()
    content = bytearray(file.read_bytes())
    middle = len(content) // 8192 * 4096
    content[middle : middle + 600] = b"x" * 600
    file.write_bytes(content)
    with pytest.raises(ProjectError, match="damaged"):
        ProjectStore(file)


def test_an_inner_transaction_belongs_to_the_outer(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p.hemashift")
    with pytest.raises(RuntimeError), store.writing():
        put(store, "a")
        raise RuntimeError
    assert names(store) == set()


def test_writes_survive_a_crash_of_the_computer(tmp_path: Path) -> None:
    """DELETE with synchronous = EXTRA (3): a transaction that ended is on disk."""
    store = ProjectStore(tmp_path / "p.hemashift")
    assert store.value("PRAGMA journal_mode") == "delete"
    assert store.value("PRAGMA synchronous") == 3
    assert store.value("PRAGMA foreign_keys") == 1


def test_the_file_alone_has_everything_while_it_is_open(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p.hemashift")
    put(store, "a")
    assert [path.name for path in tmp_path.iterdir()] == ["p.hemashift"]
    shutil.copy(store.file, tmp_path / "copy.hemashift")
    assert names(ProjectStore(tmp_path / "copy.hemashift")) == {"a"}


def test_a_file_of_an_earlier_hemashift_is_made_whole(tmp_path: Path) -> None:
    file = tmp_path / "p.hemashift"
    ProjectStore(file).close()
    earlier = sqlite3.connect(file, isolation_level=None)
    earlier.execute("PRAGMA journal_mode = WAL")
    earlier.execute("INSERT INTO settings VALUES ('a', '1')")
    beside = ProjectStore(file)  # while the earlier one is still running
    assert names(beside) == {"a"}
    put(beside, "b")
    beside.close()
    earlier.close()
    store = ProjectStore(file)
    assert store.value("PRAGMA journal_mode") == "delete"
    assert names(store) == {"a", "b"}
    assert [path.name for path in tmp_path.iterdir()] == ["p.hemashift"]


@pytest.mark.skipif(os.name != "posix", reason="elsewhere an open file cannot be renamed")
def test_a_file_that_was_renamed_is_not_made_anew(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p?.hemashift")
    put(store, "a")
    store.file.rename(tmp_path / "q.hemashift")
    with pytest.raises(UnsavedError, match="could not be saved"):
        put(store, "b")
    with ThreadPoolExecutor(1) as pool:  # with a connection of its own
        assert isinstance(pool.submit(put, store, "c").exception(), UnsavedError)
    assert [path.name for path in tmp_path.iterdir()] == ["q.hemashift"]
    (tmp_path / "q.hemashift").rename(store.file)
    put(store, "b")
    assert names(store) == {"a", "b"}


def test_two_windows_and_many_threads_lose_nothing(tmp_path: Path) -> None:
    """Two processes are, to SQLite, two stores: each has connections of its own."""
    windows = [ProjectStore(tmp_path / "p.hemashift") for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(windows[n % 2], f"{n:03d}"), range(120)))
    assert names(windows[0]) == names(windows[1]) == {f"{n:03d}" for n in range(120)}
    assert windows[0].revision == 120


def test_every_thread_has_its_own_connection(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p.hemashift")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(store.connection).result()
    assert other is not store.connection()
    assert store.connection() is store.connection()


def test_reading_does_not_wait_for_writing(tmp_path: Path) -> None:
    store, other = (ProjectStore(tmp_path / "p.hemashift") for _ in range(2))
    with store.writing() as connection:
        insert(connection, "settings", name="a", value="1")
        assert names(other) == set()
    assert names(other) == {"a"}


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    store = ProjectStore(tmp_path / "p.hemashift")
    with pytest.raises(ProjectError, match="could not be saved"), store.writing() as connection:
        connection.execute("INSERT INTO no_such_table VALUES (1)")
    put(store, "later")
    assert names(store) == {"later"}


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.hemashift"
    text.write_text("this is no database, but long enough to be looked at " * 50)
    with pytest.raises(ProjectError):
        ProjectStore(text)
    assert text.read_text().startswith("this is no database")
    other = tmp_path / "other.hemashift"
    foreign = sqlite3.connect(other)
    foreign.execute("CREATE TABLE theirs (a)")
    foreign.commit()
    foreign.close()
    with pytest.raises(ProjectError, match="not a project"):
        ProjectStore(other)
    tables = sqlite3.connect(other).execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("theirs",)]
