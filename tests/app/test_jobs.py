"""Work in the background and its progress."""

from __future__ import annotations

import threading

import pytest

from hemashift.app.jobs import Jobs, Told
from hemashift.errors import HemashiftError


def test_progress_is_followed_to_the_end() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def work(told: Told) -> str:
        told("first", 1, 2)
        begun.set()
        assert go_on.wait(10)
        told("second", 2, 2)
        return "made"

    job = Jobs().start("import", work)
    assert begun.wait(10)
    following = job.follow()
    first = next(following)
    assert (first.state, first.step, first.done, first.total) == ("running", "first", 1, 2)
    go_on.set()
    last = list(following)[-1]
    assert (last.state, last.step, last.result) == ("done", "second", "made")
    # Who joins late, or comes back after a lost connection, gets the end at once.
    assert [one.state for one in job.follow(after=first.number)] == ["done"]
    assert [one.state for one in job.follow(after=last.number, heartbeat=0.01)] == ["done"]


def test_silence_is_broken_by_a_heartbeat() -> None:
    go_on = threading.Event()
    job = Jobs().start("import", lambda told: go_on.wait(10))
    following = job.follow(heartbeat=0.01)
    assert [next(following).state for _ in range(3)] == ["running"] * 3
    go_on.set()


def test_one_of_a_kind_at_a_time() -> None:
    go_on, jobs = threading.Event(), Jobs()
    first = jobs.start("adapt", lambda told: go_on.wait(10))
    assert jobs.start("adapt", lambda told: None) is first
    other = jobs.start("import", lambda told: None)
    assert other is not first
    other.wait(10)
    assert jobs.running() == (first,)
    go_on.set()
    first.wait(10)
    assert jobs.start("adapt", lambda told: None) is not first
    assert jobs.get(first.id) is None and jobs.get(other.id) is other
    assert jobs.latest("import") is other


def test_errors_reach_the_page(caplog: pytest.LogCaptureFixture) -> None:
    def refuse(told: Told) -> None:
        raise HemashiftError("too few labels", hint="label more")

    def break_down(told: Told) -> None:
        raise ZeroDivisionError("oops")

    jobs = Jobs()
    refused = jobs.start("adapt", refuse).wait(10)
    assert refused.state == "failed" and "label more" in str(refused.error)
    broken = jobs.start("import", break_down).wait(10)
    assert broken.state == "failed" and "oops" in str(broken.error)
    # The log has the traceback of what nobody expected, and of nothing else.
    assert [record.exc_info is not None for record in caplog.records] == [True]


def test_a_job_is_cancelled_at_its_next_step() -> None:
    begun, jobs = threading.Event(), Jobs()

    def work(told: Told) -> None:
        for number in range(10_000):
            told("counting", number, 10_000)
            begun.set()
            threading.Event().wait(0.005)

    job = jobs.start("count", work)
    assert begun.wait(10)
    jobs.close()
    last = job.progress()
    assert last.state == "cancelled" and last.done < 9_999
