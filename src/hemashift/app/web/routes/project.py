"""Step 1: the project. What the folder holds, what cannot be read, who and what was sampled."""

from __future__ import annotations

import tempfile
from pathlib import Path

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, Response

from hemashift.app import label_files, versions
from hemashift.app.audit_trail import entries, verify
from hemashift.app.importing import problems
from hemashift.app.web import work
from hemashift.app.web.answers import answer
from hemashift.app.web.projects import Wanted
from hemashift.app.web.rendering import step_page
from hemashift.app.web.security import MAX_BODY
from hemashift.differential import Subject

router = APIRouter(prefix="/p/{project}")

Name = Field(min_length=1, max_length=100)


class NewClass(BaseModel):
    """A class to add, or to remove again."""

    name: str = Name
    reader: str = Name


class Occurs(BaseModel):
    """Whether a class of the model occurs here."""

    name: str = Name
    occurs: bool
    reader: str = Name


class Sample(BaseModel):
    """Who and what was sampled."""

    patient_id: str = Field("", max_length=200)
    patient_name: str = Field("", max_length=200)
    birth_date: str = Field("", max_length=40)
    sex: str = Field("", max_length=20)
    sample_id: str = Field("", max_length=200)
    collected: str = Field("", max_length=40)
    laboratory: str = Field("", max_length=200)


class Sampled(Sample):
    """Who and what was sampled, and what was on screen before."""

    reader: str = Name
    before: Sample | None = None


class LabelFile(BaseModel):
    """A table of labels, as text."""

    reader: str = Name
    text: str = Field(max_length=MAX_BODY)


@router.get("/project")
def show(request: Request, project: Wanted) -> HTMLResponse:
    """Show the project."""
    return step_page(
        request,
        project,
        "project",
        problems=problems(project),
        copies=project.copies(),
        subject=project.subject(),
        of_model=versions.source(project).classes,
        absent=project.absent(),
        folder=project.images,
        file=project.file,
        running=[job.progress() for job in project.jobs.running()],
    )


@router.get("/api/summary")
def summary(project: Wanted) -> Response:
    """Give the project at a glance."""
    return answer(project.summary())


@router.post("/api/import")
def bring_in(project: Wanted) -> Response:
    """Look for new images."""
    return answer(work.bring_in(project).progress())


@router.post("/api/classes")
def add_class(project: Wanted, wish: NewClass) -> Response:
    """Add a class."""
    return answer(project.add_class(wish.name.strip(), by=wish.reader))


@router.post("/api/classes/remove")
def remove_class(project: Wanted, wish: NewClass) -> Response:
    """Remove a class that was added and is not in use."""
    return answer(project.remove_class(wish.name, by=wish.reader))


@router.post("/api/occurs")
def set_occurs(project: Wanted, wish: Occurs) -> Response:
    """Say whether a class occurs here."""
    project.set_occurs(wish.name, wish.occurs, by=wish.reader)
    return answer({"absent": project.absent()})


@router.post("/api/subject")
def set_subject(project: Wanted, wish: Sampled) -> Response:
    """Say who and what was sampled."""
    subject = Subject(**wish.model_dump(exclude={"reader", "before"}))
    before = None if wish.before is None else Subject(**wish.before.model_dump())
    project.set_subject(subject, by=wish.reader, before=before)
    return answer(project.subject())


@router.post("/api/label-file")
def take_labels(project: Wanted, wish: LabelFile) -> Response:
    """Take the labels of a table as this reader's; tell which classes it added."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        path.write_text(wish.text, encoding="utf-8")
        before = project.classes()
        taken = label_files.import_labels(project, path, reader=wish.reader)
    new = [name for name in project.classes() if name not in before]
    return answer({"labels": taken, "new": new})


@router.get("/labels.csv")
def labels(project: Wanted) -> Response:
    """Give the labels as the file that `hemashift adapt` takes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "labels.csv"
        label_files.export_labels(project, path)
        content = path.read_bytes()
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="labels.csv"'},
    )


@router.get("/trail")
def trail(request: Request, project: Wanted) -> HTMLResponse:
    """Show the audit trail."""
    found, after = [], 0
    while part := entries(project, after=after):
        found += part
        after = part[-1].number
    return step_page(request, project, "trail", entries=found[::-1], check=verify(project))
