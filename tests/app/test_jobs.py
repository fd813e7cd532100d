"""Work in the background and its progress."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading

import pytest

from hemashift.app import jobs as module
from hemashift.app.jobs import Jobs
from hemashift.errors import HemashiftError
from hemashift.progress import StageProgress


def test_progress_is_followed_to_the_end() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(told: StageProgress) -> str:
        told("first", 1, 2)
        begun.set()
        assert go_on.wait(60)
        told("second", 2, 2)
        return "made"

    job = Jobs().start("import", work)
    assert begun.wait(60)
    first = job.progress()
    assert (first.state, first.step, first.done, first.total) == ("running", "first", 1, 2)
    go_on.set()
    last = job.wait(60)
    assert (last.state, last.step, last.result) == ("done", "second", "made")
    assert job.progress() == last and last.number > first.number


def test_one_of_a_kind_at_a_time() -> None:
    go_on, jobs = threading.Event(), Jobs()
    first = jobs.start("adapt", lambda told: go_on.wait(60))
    assert jobs.start("adapt", lambda told: None) is first
    other = jobs.start("import", lambda told: None)
    assert other is not first
    other.wait(60)
    assert jobs.running() == (first,)
    go_on.set()
    first.wait(60)
    assert jobs.start("adapt", lambda told: None) is not first
    assert jobs.get(other.id) is other and jobs.latest("import") is other
    # A window that asks late learns how its own ended.
    assert jobs.get(first.id) is first and jobs.get("unknown") is None


def test_only_so_many_ended_jobs_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_KEPT", 3)
    jobs = Jobs()
    started = []
    for kind in ("old", *"aaaaa"):
        started.append(jobs.start(kind, lambda told: None))
        started[-1].wait(60)
    # The latest of a kind is kept in any case.
    assert [jobs.get(one.id) is not None for one in started] == [True, False, False] + 3 * [True]


def test_errors_reach_the_page(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(told: StageProgress) -> None:
        raise HemashiftError("too few labels", hint="label more")

    def break_down(told: StageProgress) -> None:
        raise ZeroDivisionError("oops")

    def fill(told: StageProgress) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "model.json")

    def lock(told: StageProgress) -> None:
        raise sqlite3.OperationalError("database is locked")

    jobs = Jobs()
    full = jobs.start("adapt", fill).wait(60)
    assert "free some room" in str(full.error) and "model.json" in str(full.error)
    assert "database is locked" in str(jobs.start("encode", lock).wait(60).error)
    refused = jobs.start("adapt", refuse).wait(60)
    assert refused.state == "failed" and "label more" in str(refused.error)
    broken = jobs.start("import", break_down).wait(60)
    assert broken.state == "failed" and "oops" in str(broken.error)
    # The log has the traceback of what nobody expected, and of nothing else.
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_job_is_cancelled_at_its_next_step() -> None:
    begun, jobs = threading.Event(), Jobs()

    def work(told: StageProgress) -> None:
        for number in range(10_000):
            told("counting", number, 10_000)
            begun.set()
            threading.Event().wait(0.005)

    job = jobs.start("count", work)
    assert begun.wait(60)
    jobs.close()
    last = job.progress()
    assert last.state == "cancelled" and last.done < 9_999
