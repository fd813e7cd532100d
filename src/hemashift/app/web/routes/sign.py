"""Step 6: sign, and take home a report."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from hemashift.app import counting, signing
from hemashift.app.audit_trail import verify
from hemashift.app.exporting import export
from hemashift.app.project import Project
from hemashift.app.store import ProjectError
from hemashift.app.web import charts
from hemashift.app.web.answers import answer
from hemashift.app.web.numbers import Number
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.routes.label import Event
from hemashift.app.web.routes.project import Name
from hemashift.differential.exports import FORMATS, Format

router = APIRouter(prefix="/p/{project}")


class Signing(BaseModel):
    """Signing what is on screen; with a reason, in the place of what was signed before."""

    event: str = Event
    reader: str = Name
    token: str = Field(max_length=200)
    comment: str = Field("", max_length=2000)
    reason: str = Field("", max_length=500)
    amend: bool = False


@router.get("/sign")
def show(request: Request, project: Wanted) -> HTMLResponse:
    """Show what would be signed, and what has been."""
    draft = counting.draft(project)
    return step_page(
        request,
        project,
        "sign",
        draft=draft,
        bars=charts.bars(draft.differential),
        results=signing.results(project)[::-1],
        subject=project.subject(),
        formats=FORMATS,
        check=verify(project),
        copies=len(project.copies()),
    )


@router.post("/api/sign")
def sign(project: Wanted, wish: Signing) -> Response:
    """Sign, or amend."""
    given: dict[str, Any] = {
        "by": wish.reader,
        "token": wish.token,
        "event": wish.event,
        "comment": wish.comment,
    }
    if wish.amend:
        made = signing.amend(project, reason=wish.reason, **given)
    else:
        made = signing.sign(project, **given)
    return answer({"version": made.version})


@router.get("/results/draft/{form}")
def take_draft(project: Wanted, form: Format, by: str = "") -> Response:
    """Give the draft as a file, which says that it is not signed."""
    return _download(project, form, None, by)


@router.get("/results/{version}/{form}")
def take(project: Wanted, version: Number, form: Format, by: str = "") -> Response:
    """Give a signed result as a file."""
    return _download(project, form, version, by)


def _download(project: Project, form: Format, version: int | None, by: str) -> Response:
    facts = FORMATS[form]
    name = "draft" if version is None else f"v{version}"
    safe = "".join(one if one.isalnum() and one.isascii() else "-" for one in project.name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"result{facts.suffix}"
        try:
            content = export(project, form, path, version=version, by=by[:100]).read_bytes()
        except ProjectError as error:
            raise HTTPException(404, error.message) from error
    return Response(
        content,
        media_type=facts.media_type,
        headers={"Content-Disposition": f'attachment; filename="{safe}-{name}{facts.suffix}"'},
    )
