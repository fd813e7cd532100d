"""Long work: what is running, and how far it is, live."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from starlette.responses import Response, StreamingResponse

from hemashift.app.jobs import Job
from hemashift.app.web.answers import answer
from hemashift.app.web.json_values import plain
from hemashift.app.web.projects import Wanted

router = APIRouter(prefix="/p/{project}/api/jobs")

HEARTBEAT = 2.0
"""Seconds; a listener that has gone is noticed within them."""


@router.get("")
def running(project: Wanted) -> Response:
    """Give the work that is running."""
    return answer([job.progress() for job in project.jobs.running()])


@router.post("/{job}/cancel")
def cancel(project: Wanted, job: str) -> Response:
    """Ask work to stop at its next step."""
    _get(project, job).cancel()
    return answer({})


@router.get("/{job}/events")
def events(
    project: Wanted, job: str, last_event_id: Annotated[int, Header()] = -1
) -> StreamingResponse:
    """Follow work as server-sent events; a browser that reconnects says where it left off."""
    stream = _events(_get(project, job), last_event_id)
    return StreamingResponse(stream, media_type="text/event-stream")


def _get(project: Wanted, job: str) -> Job:
    found = project.jobs.get(job)
    if found is None:
        raise HTTPException(404, "This work is no longer known.")
    return found


def _events(job: Job, after: int) -> Iterator[str]:
    for state in job.follow(after, heartbeat=HEARTBEAT):
        name = "progress" if state.state == "running" else "end"
        yield f"id: {state.number}\nevent: {name}\ndata: {json.dumps(plain(state))}\n\n"
