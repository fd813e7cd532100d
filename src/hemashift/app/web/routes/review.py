"""Step 4: review the classified cells in galleries, as on a digital morphology analyser."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from hemashift.app import explaining, keeping, placing, reviewing, versions
from hemashift.app.neighbours import references, similar
from hemashift.app.project import Project
from hemashift.app.reviewing import Sort, Source
from hemashift.app.web.answers import answer
from hemashift.app.web.numbers import Number
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.routes.label import Event, Undo
from hemashift.app.web.routes.project import Name

router = APIRouter(prefix="/p/{project}")

MOST_CELLS = 50_000
MOST_VIEWS = 500
_IDS = r"^\d{1,18}(,\d{1,18})*$"  # no larger than the database can hold


class Move(BaseModel):
    """Putting cells into a bin."""

    event: str = Event
    reader: str = Name
    cells: list[Number] = Field(min_length=1, max_length=MOST_CELLS)
    bin: str


@router.get("/review")
def show(request: Request, project: Wanted) -> HTMLResponse:
    """Show the page; the cells are asked for by the page."""
    running = [job.progress() for job in project.jobs.running()]
    return step_page(
        request,
        project,
        "review",
        bins=reviewing.bins(project),
        running=running,
        keeping=keeping.keeping(project),
        scored=placing.scored(placing.place(project)),
        maps=explaining.available(),
    )


@router.get("/api/gallery")
def gallery(
    project: Wanted,
    bin: str = "",
    sort: Sort = "doubt",
    source: Source | None = None,
    predicted: str | None = None,
    least_doubt: float = 0.0,
    search: str = "",
) -> Response:
    """Give the ids of the cells of a bin, in order, and the number of cells in every bin."""
    ids = reviewing.gallery(
        project,
        bin or None,
        sort=sort,
        source=source,
        predicted=predicted,
        least_doubt=least_doubt,
        search=search,
    )
    return answer({"cells": ids, **_counts(project)})


@router.get("/api/cells")
def cells(project: Wanted, ids: Annotated[str, Query(pattern=_IDS)]) -> Response:
    """Give what is known of some cells."""
    wanted = [int(one) for one in ids.split(",")][:MOST_VIEWS]
    return answer(reviewing.cells(project, wanted))


@router.get("/api/cells/{cell}")
def cell(project: Wanted, cell: Number) -> Response:
    """Give all that is known of one cell, and why it is called so."""
    found = reviewing.cells(project, [cell])
    if not found:
        raise HTTPException(404, "There is no such cell.")
    return answer(
        {
            "cell": found[0],
            "probabilities": reviewing.probabilities(project, cell),
            "similar": similar(project, cell, n=8),
            "version": versions.active_number(project),
        }
    )


@router.get("/api/references")
def typical(project: Wanted, label: str) -> Response:
    """Give typical cells of a class."""
    return answer(references(project, label))


@router.post("/api/move")
def move(project: Wanted, wish: Move) -> Response:
    """Put cells into a bin."""
    moved = reviewing.reclassify(
        project, reader=wish.reader, cells=wish.cells, bin=wish.bin, event=wish.event
    )
    return answer({"moved": moved, **_counts(project)})


@router.post("/api/move/undo")
def undo(project: Wanted, wish: Undo) -> Response:
    """Take back this reader's last move."""
    moved = reviewing.undo_review(project, reader=wish.reader, event=wish.event)
    return answer({"moved": moved, **_counts(project)})


def _counts(project: Project) -> dict[str, Any]:
    """Return how many cells are in every bin, and what signing waits for beside `unidentified`."""
    return {
        "bins": reviewing.bins(project),
        "unconfirmed": placing.unconfirmed(placing.place(project)),
    }
