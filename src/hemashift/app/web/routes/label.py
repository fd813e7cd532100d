"""Step 2: label the proposed cells, one reader at a time, blind to the others."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from hemashift.app import agreement as agreeing
from hemashift.app import labelling, proposing
from hemashift.app.labelling import CONSENSUS, Verdict
from hemashift.app.neighbours import similar
from hemashift.app.project import Project
from hemashift.app.refusals import ProjectError
from hemashift.app.web import work
from hemashift.app.web.answers import answer
from hemashift.app.web.numbers import Number
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.routes.project import Name

router = APIRouter(prefix="/p/{project}")

# A proposal that is as quick as this needs no second question.
_SECONDS_AT_ONCE = 0.3

Event = Field(pattern="^[0-9a-f]{32}$")


class Keystroke(BaseModel):
    """What a reader says about a cell."""

    event: str = Event
    reader: str = Name
    cell: Number
    verdict: Verdict = "label"
    label: str | None = None


class Undo(BaseModel):
    """Taking back the last answer."""

    event: str = Event
    reader: str = Name


class Proposal(BaseModel):
    """How many cells to propose, and of which class."""

    n: int = Field(20, ge=1, le=200)
    label: str | None = Field(None, max_length=100)


@router.get("/label")
def show(request: Request, project: Wanted) -> HTMLResponse:
    """Show the page; its content depends on the reader and is asked for by the page."""
    return step_page(request, project, "label")


@router.get("/api/label")
def state(project: Wanted, reader: str) -> Response:
    """Give the cells to label and what this reader has said."""
    return answer(_state(project, reader))


@router.post("/api/label")
def record(project: Wanted, wish: Keystroke) -> Response:
    """Record one keystroke."""
    said = labelling.record(project, **wish.model_dump())
    return answer({"said": said, **_counts(project, wish.reader)})


@router.post("/api/settle")
def settle(project: Wanted, wish: Keystroke) -> Response:
    """Settle what a cell is for all readers; `skip` takes that back."""
    said = labelling.settle(project, by=wish.reader, **wish.model_dump(exclude={"reader"}))
    return answer({"said": said})


@router.post("/api/label/undo")
def undo(project: Wanted, wish: Undo) -> Response:
    """Take back this reader's last answer."""
    taken = labelling.undo(project, reader=wish.reader, event=wish.event)
    now = None if taken is None else labelling.verdicts(project, wish.reader).get(taken.cell)
    return answer({"taken": taken, "now": now, **_counts(project, wish.reader)})


@router.post("/api/propose")
def propose(project: Wanted, wish: Proposal) -> Response:
    """Start choosing cells to label; where that is quick, the answer has them already."""
    if wish.label is not None and wish.label not in project.classes():
        raise ProjectError("there is no such class", hint="Reload the page.")
    return answer(work.propose(project, wish.n, wish.label).wait(_SECONDS_AT_ONCE))


@router.get("/api/similar/{cell}")
def look_alike(project: Wanted, cell: Number, reader: str) -> Response:
    """Give labelled cells that look like one: only what this reader labelled."""
    return answer(similar(project, cell, n=5, reader=reader))


@router.get("/api/agreement")
def agreement(project: Wanted, first: str, second: str) -> Response:
    """Give how far two readers agree, and where they do not."""
    found = agreeing.agreement(project, first, second)
    one, other = (labelling.verdicts(project, name) for name in (first, second))
    settled = {
        cell: said for cell, said in labelling.verdicts(project, CONSENSUS).items() if said.answer
    }
    differing = [
        {"cell": cell, "answers": [one[cell], other[cell]], "settled": settled.get(cell)}
        for cell in agreeing.disagreements(project, first, second)
    ]
    return answer({"agreement": found, "differing": differing})


def _state(project: Project, reader: str) -> dict[str, Any]:
    """Return the batch, with cells of earlier batches that are still to be answered."""
    batch = proposing.batch(project)
    waiting = labelling.queue(project, reader)
    reasons = proposing.reasons(project)
    shown = [*batch, *(cell for cell in waiting if cell not in set(batch))]
    return {
        "cells": shown,
        "waiting": waiting,
        "reasons": {cell: why for cell, why in reasons.items() if cell in set(shown)},
        "said": labelling.verdicts(project, reader),
        **_counts(project, reader),
    }


def _counts(project: Project, reader: str) -> dict[str, Any]:
    """Return how many cells this reader has given each class, and who else has labelled."""
    said = labelling.verdicts(project, reader)
    counts: dict[str, int] = {}
    for one in said.values():
        if one.verdict == "label" and one.label is not None:
            counts[one.label] = counts.get(one.label, 0) + 1
    others = [name for name in labelling.readers(project) if name not in (reader, CONSENSUS)]
    return {"counts": counts, "readers": others}
