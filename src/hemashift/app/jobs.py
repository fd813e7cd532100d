"""Long work in the background, with progress that any number of windows can ask for."""

from __future__ import annotations

import logging
import sqlite3
import threading
import uuid
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from hemashift.app.refusals import of_the_disk
from hemashift.errors import HemashiftError
from hemashift.progress import StageProgress

State = Literal["running", "done", "failed", "cancelled"]

_SECONDS_TO_END = 10.0
# Jobs that are kept after their end, so that a window that asks late learns how its job ended.
_MOST_KEPT = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        job: Id of the job.
        kind: What it is, such as "import", "encode", "adapt", "classify", "propose".
        number: Rises with every change.
        state: Whether it goes on.
        step: What is being done, in a few words.
        done: Number done.
        total: Number in all, 0 where it is not known.
        error: Under "failed": the message, with what to do about it.
        result: Under "done": what the work returned.
    """

    job: str
    kind: str
    number: int
    state: State
    step: str
    done: int
    total: int
    error: str | None = None
    result: Any = None


class _CancelledError(Exception):
    """Ends the work of a job that is to stop."""


class Job:
    """One piece of work in the background; made by `Jobs.start`.

    Args:
        kind: What it is.
        work: The work; given a function to tell its progress.

    Attributes:
        id: Its id.
        kind: What it is.
    """

    def __init__(self, kind: str, work: Callable[[StageProgress], Any]) -> None:
        self.id = uuid.uuid4().hex
        self.kind = kind
        self._work = work
        self._changed = threading.Condition()
        self._progress = Progress(self.id, kind, 0, "running", "", 0, 0)
        self._stop = threading.Event()
        # A daemon: nothing is lost when the program ends in the middle of a job.
        self._thread = threading.Thread(target=self._run, name=f"hemashift-{kind}", daemon=True)

    def start(self) -> None:
        """Begin the work in its thread."""
        self._thread.start()

    def progress(self) -> Progress:
        """Return how far it is now."""
        return self._progress

    def wait(self, seconds: float | None = None) -> Progress:
        """Wait for the end, at most so long, and return how far it is."""
        with self._changed:
            self._changed.wait_for(lambda: self._progress.state != "running", seconds)
            return self._progress

    def cancel(self) -> None:
        """Ask it to stop when it next tells its progress."""
        self._stop.set()

    def _run(self) -> None:
        try:
            result = self._work(self._tell)
        except _CancelledError:
            self._change(state="cancelled")
        except HemashiftError as error:
            self._change(state="failed", error=str(error))
        except (OSError, sqlite3.OperationalError) as error:
            self._change(state="failed", error=str(of_the_disk(error)))
        except Exception as error:
            # Whatever it is, the page must learn of it, and so must whoever reads the log.
            _log.exception("the job %r failed", self.kind)
            self._change(state="failed", error=f"unexpected error: {error!r}")
        else:
            self._change(state="done", result=result)

    def _tell(self, step: str, done: int, total: int) -> None:
        if self._stop.is_set():
            raise _CancelledError
        self._change(step=step, done=done, total=total)

    def _change(self, **changes: Any) -> None:
        with self._changed:
            number = self._progress.number + 1
            self._progress = replace(self._progress, number=number, **changes)
            self._changed.notify_all()


class Jobs:
    """The jobs of one project: one of a kind at a time, each in a thread.

    Examples:
        >>> jobs = Jobs()
        >>> def work(told: StageProgress) -> str:
        ...     told("counting", 1, 2)
        ...     return "counted"
        >>> jobs.start("count", work).wait().result
        'counted'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, Job] = {}
        self._started: deque[Job] = deque(maxlen=_MOST_KEPT)

    def start(self, kind: str, work: Callable[[StageProgress], Any]) -> Job:
        """Start work; where a job of this kind is running, return that one.

        Args:
            kind: What it is.
            work: The work; given a function to tell its progress.
        """
        with self._lock:
            running = self._latest.get(kind)
            if running is not None and running.progress().state == "running":
                return running
            job = self._latest[kind] = Job(kind, work)
            self._started.append(job)
            job.start()
            return job

    def get(self, job: str) -> Job | None:
        """Return a job by its id; the latest of each kind is kept, and the last hundred."""
        with self._lock:
            known = (*self._latest.values(), *self._started)
        return next((one for one in known if one.id == job), None)

    def latest(self, kind: str) -> Job | None:
        """Return the job of a kind that was started last, running or ended."""
        with self._lock:
            return self._latest.get(kind)

    def running(self) -> tuple[Job, ...]:
        """Return the jobs that are running."""
        with self._lock:
            jobs = tuple(self._latest.values())
        return tuple(job for job in jobs if job.progress().state == "running")

    def close(self) -> None:
        """Ask all jobs to stop, and wait a little for them."""
        for job in self.running():
            job.cancel()
        for job in self.running():
            job.wait(_SECONDS_TO_END)
