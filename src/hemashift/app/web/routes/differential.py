"""Step 5: the differential, flags, and two readers or two models side by side."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from hemashift.app import counting, keeping, versions
from hemashift.app.project import Project
from hemashift.app.web import charts
from hemashift.app.web.answers import answer
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.routes.project import Name
from hemashift.differential import Comparison, FlagRule
from hemashift.errors import HemashiftError

router = APIRouter(prefix="/p/{project}")


class Rule(BaseModel):
    """A rule for flags."""

    name: str = Name
    direction: Literal["above", "below"]
    limit: float = Field(ge=0, le=10_000, allow_inf_nan=False)
    message: str = Field("", max_length=200)


class Shown(BaseModel):
    """What can be set, as it is on screen."""

    rules: list[Rule] = Field(max_length=100)
    max_error: float = Field(gt=0, lt=1, allow_inf_nan=False)

    def flag_rules(self) -> tuple[FlagRule, ...]:
        """Return the rules for flags."""
        return tuple(FlagRule(**rule.model_dump()) for rule in self.rules)


class Settings(Shown):
    """What the user sets, and what was there before."""

    reader: str = Name
    before: Shown | None = None


@router.get("/differential")
def show(
    request: Request, project: Wanted, first: str = "", second: str = "", of: str = ""
) -> HTMLResponse:
    """Show the differential, and a comparison where one is asked for."""
    draft = counting.draft(project)
    compared, refused = _compared(project, of, first, second)
    return step_page(
        request,
        project,
        "differential",
        draft=draft,
        bars=charts.bars(draft.differential),
        rules=project.flag_rules(),
        max_error=project.max_error(),
        keeping=keeping.keeping(project),
        versions=versions.versions(project),
        comparison=compared,
        refused=refused,
        chosen={"of": of, "first": first, "second": second},
    )


@router.post("/api/settings")
def settings(project: Wanted, wish: Settings) -> Response:
    """Set the flags and the error rate, as far as they were changed in this window."""
    before = wish.before
    shown = None if before is None else before.flag_rules()
    project.set_flag_rules(wish.flag_rules(), by=wish.reader, before=shown)
    if before is None or wish.max_error != before.max_error:
        project.set_max_error(wish.max_error, by=wish.reader)
    return answer({})


def _compared(
    project: Project, of: str, first: str, second: str
) -> tuple[Comparison | None, HemashiftError | None]:
    """Return the comparison that was asked for, or why there is none."""
    try:
        if of == "readers" and first and second:
            return counting.compare_readers(project, first, second), None
        if of == "versions" and first.isdecimal() and second.isdecimal():
            return counting.compare_versions(project, int(first), int(second)), None
    except HemashiftError as error:
        return None, error
    return None, None
