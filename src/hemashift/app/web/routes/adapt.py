"""Step 3: adapt the model, see how good it is, and go back where it is not."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import HTMLResponse, Response

from hemashift.adaptation.unlabelled import UNLABELLED
from hemashift.app import advice as advising
from hemashift.app import labelling, moves, versions
from hemashift.app.project import Project
from hemashift.app.versions import Version
from hemashift.app.web import charts, work
from hemashift.app.web.answers import answer
from hemashift.app.web.numbers import Number
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.routes.project import Name

router = APIRouter(prefix="/p/{project}")


class Wish(BaseModel):
    """Who asks."""

    reader: str = Name


class Kept(Wish):
    """A cell whose label is right."""

    cell: Number


@router.get("/adapt")
def show(request: Request, project: Wanted) -> HTMLResponse:
    """Show the labels, the versions, and what to do next."""
    known = versions.versions(project)
    active = next((one for one in known if one.active), None)
    settled = labelling.settled(project)
    counts = {name: 0 for name in project.classes()}
    for label in settled.labels.values():
        counts[label] = counts.get(label, 0) + 1
    said = advising.advice(project)
    return step_page(
        request,
        project,
        "adapt",
        versions=known[::-1],
        active=active,
        looked=_looked(project, active),
        counts=counts,
        disputed=len(settled.disputed),
        reviewed=len(moves.standing(project).keys() - settled.labels.keys()),
        advice=said,
        curve=charts.curve(said.curve),
        scores=charts.before_and_after(active) if active and active.after else None,
        findings=advising.findings(project),
        running=[job.progress() for job in project.jobs.running()],
    )


def _looked(project: Project, active: Version | None) -> bool:
    """Return whether to adapt without labels once more would change nothing."""
    if active is None or active.method != UNLABELLED:
        return False
    known = versions.source(project).classes
    return active.classes == tuple(project.occurring(known) or known)


@router.post("/api/findings/keep")
def keep(project: Wanted, wish: Kept) -> Response:
    """Keep a label that looks wrong; it is not shown again unless it changes."""
    project.keep_label(wish.cell, by=wish.reader)
    return answer({})


@router.post("/api/adapt")
def adapt(project: Wanted, wish: Wish) -> Response:
    """Start adapting."""
    return answer(work.adapt(project, wish.reader).progress())


@router.post("/api/classify")
def classify(project: Wanted) -> Response:
    """Start classifying what the active model has not classified."""
    return answer(work.encode_and_classify(project).progress())


@router.post("/api/versions/{number}/activate")
def activate(project: Wanted, number: Number, wish: Wish) -> Response:
    """Make a version the active one, and classify with it."""
    chosen = versions.activate(project, number, by=wish.reader)
    work.encode_and_classify(project)
    return answer({"number": chosen.number})
