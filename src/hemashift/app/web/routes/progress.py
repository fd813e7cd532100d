"""Long work: what is running, and how far it is."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from hemashift.app.jobs import Job
from hemashift.app.web.answers import answer
from hemashift.app.web.projects import Wanted

router = APIRouter(prefix="/p/{project}/api/jobs")


@router.get("")
def running(project: Wanted) -> Response:
    """Give the work that is running."""
    return answer([job.progress() for job in project.jobs.running()])


@router.get("/{job}")
def progress(project: Wanted, job: str) -> Response:
    """Give how far work is; the page asks again until it has ended."""
    return answer(_get(project, job).progress())


@router.post("/{job}/cancel")
def cancel(project: Wanted, job: str) -> Response:
    """Ask work to stop at its next step."""
    _get(project, job).cancel()
    return answer({})


def _get(project: Wanted, job: str) -> Job:
    found = project.jobs.get(job)
    if found is None:
        raise HTTPException(404, "This work was broken off: hemashift was started anew.")
    return found
