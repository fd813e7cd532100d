"""Pages from templates: every text is escaped, and every page has the same frame."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from hemashift.app.project import Project
from hemashift.app.web.json_values import plain
from hemashift.app.web.projects import id_of
from hemashift.app.web.security import Access
from hemashift.app.web.steps import steps
from hemashift.app.web.styles import class_styles
from hemashift.differential.wording import counted
from hemashift.reports.page import NOT_A_DEVICE
from hemashift.reports.parts import percent


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page.

    Args:
        request: What is answered.
        template: Name of the template.
        status: HTTP status.
        **context: What the template shows.
    """
    access: Access = request.app.state.access
    frame = {
        "csrf": access.csrf,
        "disclaimer": NOT_A_DEVICE,
        "project": None,
        "steps": (),
        "current": "",
    }
    return HTMLResponse(
        _environment().get_template(template).render({**frame, **context}), status_code=status
    )


def step_page(request: Request, project: Project, slug: str, **context: Any) -> HTMLResponse:
    """Return the page of a step of a project.

    Args:
        request: What is answered.
        project: The project.
        slug: The step, which is also the name of the template.
        **context: What the template shows beside the summary and the classes.
    """
    access: Access = request.app.state.access
    summary = project.summary()
    frame: dict[str, Any] = {
        "project": {"id": id_of(project.images), "name": project.name, "stamp": access.stamp},
        "summary": summary,
        "styles": class_styles(project.classes()),
        "steps": steps(project, summary),
        "current": slug,
    }
    return page(request, f"{slug}.html", **frame, **context)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("hemashift.app.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["plain"] = plain
    made.filters["percent"] = percent
    made.filters["sentence"] = sentence
    made.filters["moment"] = moment
    made.filters["counted"] = counted
    return made


def sentence(text: str) -> str:
    """Begin a message with a capital and end it with a full stop.

    Examples:
        >>> sentence("the file is empty")
        'The file is empty.'
    """
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def moment(at: str | datetime) -> str:
    """Write a moment in the time of this computer.

    Examples:
        >>> len(moment("2024-05-06T07:08:09+00:00")) == len("6 May 2024, 07:08")
        True
    """
    read = datetime.fromisoformat(at) if isinstance(at, str) else at
    return read.astimezone().strftime("%d %B %Y, %H:%M").lstrip("0")
