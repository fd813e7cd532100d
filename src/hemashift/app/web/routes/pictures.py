"""Pictures of cells, by the id of the cell."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from hemashift.app.explaining import why
from hemashift.app.pictures import Look, Size, picture
from hemashift.app.store import ProjectError
from hemashift.app.web.numbers import Number
from hemashift.app.web.projects import Wanted
from hemashift.errors import ImageError, MissingExtraError

router = APIRouter()

# The address names the run of the server, so the browser need not ask again within it.
_KEEP = {"Cache-Control": "private, max-age=604800, immutable"}


@router.get("/p/{project}/pictures/{stamp}/{cell}/why/{version}")
def explain(project: Wanted, stamp: str, cell: Number, version: Number) -> Response:
    """Give the map of why a version of the model called a cell so, to lay over its picture."""
    try:
        content = why(project, cell, version)
    except (ProjectError, ImageError, MissingExtraError) as error:
        raise HTTPException(404, error.message) from error
    return Response(content, media_type="image/png", headers=_KEEP)


@router.get("/p/{project}/pictures/{stamp}/{cell}/{look}/{size}")
def show(project: Wanted, stamp: str, cell: Number, look: Look, size: Size) -> Response:
    """Give one picture."""
    try:
        content = picture(project, cell, look, size)
    except (ProjectError, ImageError) as error:
        raise HTTPException(404, error.message) from error
    return Response(content, media_type="image/jpeg", headers=_KEEP)
