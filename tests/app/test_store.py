"""Transactions, threads and two windows at once."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hemashift.app.store import ProjectError, Store, insert


def put(store: Store, name: str) -> None:
    with store.writing() as connection:
        insert(connection, "settings", name=name, value="1")


def names(store: Store) -> set[str]:
    return {row[0] for row in store.rows("SELECT name FROM settings")}


def test_a_transaction_is_whole_or_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path / "p.hemashift")
    with pytest.raises(RuntimeError), store.writing() as connection:
        insert(connection, "settings", name="a", value="1")
        raise RuntimeError
    assert names(store) == set()
    put(store, "b")
    assert names(store) == {"b"}


def test_an_inner_transaction_belongs_to_the_outer(tmp_path: Path) -> None:
    store = Store(tmp_path / "p.hemashift")
    with pytest.raises(RuntimeError), store.writing():
        put(store, "a")
        raise RuntimeError
    assert names(store) == set()


def test_writes_survive_a_crash_of_the_computer(tmp_path: Path) -> None:
    """WAL with synchronous = FULL (2): a transaction that ended is on disk."""
    store = Store(tmp_path / "p.hemashift")
    assert store.value("PRAGMA journal_mode") == "wal"
    assert store.value("PRAGMA synchronous") == 2
    assert store.value("PRAGMA foreign_keys") == 1


def test_two_windows_and_many_threads_lose_nothing(tmp_path: Path) -> None:
    """Two processes are, to SQLite, two stores: each has connections of its own."""
    windows = [Store(tmp_path / "p.hemashift") for _ in range(2)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: put(windows[n % 2], f"{n:03d}"), range(120)))
    assert names(windows[0]) == names(windows[1]) == {f"{n:03d}" for n in range(120)}
    assert windows[0].revision == 120


def test_every_thread_has_its_own_connection(tmp_path: Path) -> None:
    store = Store(tmp_path / "p.hemashift")
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(store.connection).result()
    assert other is not store.connection()
    assert store.connection() is store.connection()


def test_reading_does_not_wait_for_writing(tmp_path: Path) -> None:
    store, other = (Store(tmp_path / "p.hemashift") for _ in range(2))
    with store.writing() as connection:
        insert(connection, "settings", name="a", value="1")
        assert names(other) == set()
    assert names(other) == {"a"}


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path / "p.hemashift")
    with pytest.raises(ProjectError, match="could not be saved"), store.writing() as connection:
        connection.execute("INSERT INTO no_such_table VALUES (1)")
    put(store, "later")
    assert names(store) == {"later"}


def test_another_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    text = tmp_path / "text.hemashift"
    text.write_text("this is no database, but long enough to be looked at " * 50)
    with pytest.raises(ProjectError):
        Store(text)
    assert text.read_text().startswith("this is no database")
    other = tmp_path / "other.hemashift"
    foreign = sqlite3.connect(other)
    foreign.execute("CREATE TABLE theirs (a)")
    foreign.commit()
    foreign.close()
    with pytest.raises(ProjectError, match="not a project"):
        Store(other)
    tables = sqlite3.connect(other).execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("theirs",)]
