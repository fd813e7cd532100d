"""The list of projects, and the door to one of them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from hemashift.app.web.projects import Projects, Wanted
from hemashift.app.web.rendering import page
from hemashift.app.web.styles import class_styles, style_sheet

router = APIRouter()


@router.get("/")
def show(request: Request) -> HTMLResponse:
    """Show the projects."""
    projects: Projects = request.app.state.projects
    return page(request, "home.html", projects=projects.listed())


@router.get("/p/{project}")
def enter(project: str, opened: Wanted) -> RedirectResponse:
    """Lead to the first step of a project."""
    return RedirectResponse(f"/p/{project}/project", status_code=303)


@router.get("/p/{project}/classes.css")
def colours(project: Wanted) -> Response:
    """Give the colours of the classes."""
    sheet = style_sheet(class_styles(project.classes()))
    return Response(sheet, media_type="text/css", headers={"Cache-Control": "no-cache"})
