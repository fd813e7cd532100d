"""Versions of the model: all are kept, one is active, and there is a way back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hemashift.app import audit_trail
from hemashift.app.names import now, one_line
from hemashift.app.refusals import ProjectError
from hemashift.app.store import insert
from hemashift.errors import ModelFileError
from hemashift.model.bundle import Bundle, default_model

if TYPE_CHECKING:
    from hemashift.adaptation.adapt import Limits
    from hemashift.app.project import Project

# Models kept in memory: the active one, the one before, and the one to start from.
_IN_MEMORY = 3


@dataclass(frozen=True)
class Version:
    """One version of the model.

    Attributes:
        number: 1, 2, ... in the order they came.
        name: Name of the model.
        origin: "start" (the shipped model), "added" (a model folder) or "adapted".
        folder: Its model folder, for `hemashift classify --model`.
        hash: Hash of the model.
        classes: The classes it knows.
        parent: Version it was adapted from, or None.
        method: Method of adaptation, or empty.
        labels: Labelled cells of each class that it was adapted with.
        before: Scores of the parent on these cells: "accuracy", "macro_f1".
        after: Its own scores, cross-validated.
        notes: What is worth knowing, in sentences.
        by: Who made or added it.
        at: When, ISO 8601 in UTC.
        active: Whether it classifies now.
    """

    number: int
    name: str
    origin: str
    folder: Path
    hash: str
    classes: tuple[str, ...]
    parent: int | None
    method: str
    labels: dict[str, int]
    before: dict[str, Limits]
    after: dict[str, Limits]
    notes: tuple[str, ...]
    by: str
    at: str
    active: bool


def versions(project: Project) -> list[Version]:
    """Return all versions, the first first. A project begins with the shipped model.

    Raises:
        ModelFileError: There is none, as this installation comes without a model.
    """
    current = active_number(project)
    if current is None:
        current = _begin(project)
    return [
        _version(project, row, current)
        for row in project.store.rows("SELECT * FROM versions ORDER BY number")
    ]


def active(project: Project) -> Version:
    """Return the active version.

    Raises:
        ModelFileError: There is none, as this installation comes without a model.
    """
    return next(version for version in versions(project) if version.active)


def active_number(project: Project) -> int | None:
    """Return the number of the active version, or None before the first is needed."""
    found = project.store.value("SELECT version FROM activations ORDER BY id DESC")
    return None if found is None else int(found)


def version(project: Project, number: int) -> Version:
    """Return one version.

    Raises:
        ProjectError: There is no such version.
    """
    for one in versions(project):
        if one.number == number:
            return one
    raise ProjectError("there is no such version of the model", found=str(number))


def source(project: Project) -> Version:
    """Return the version that the active one descends from and that learnt from no label here."""
    by_number = {one.number: one for one in versions(project)}
    found = next(one for one in by_number.values() if one.active)
    while found.origin == "adapted" and found.parent is not None:
        found = by_number[found.parent]
    return found


def bundle(project: Project, number: int | None = None) -> Bundle:
    """Return the model of a version, by default the active one; kept in memory.

    Raises:
        ModelFileError: Its folder is damaged, or holds another model.
    """
    wanted = active(project) if number is None else version(project, number)
    with project.lock:
        kept: dict[str, Bundle] = project.memory.setdefault("models", {})
        if wanted.hash not in kept:
            while len(kept) >= _IN_MEMORY:
                kept.pop(next(iter(kept)))
            kept[wanted.hash] = _load(wanted)
        return kept[wanted.hash]


def activate(project: Project, number: int, *, by: str) -> Version:
    """Make a version the active one: the way back, or forth.

    Raises:
        ProjectError: There is no such version.
    """
    by = one_line(by)
    version(project, number)
    with project.store.writing() as connection:
        if active_number(project) != number:
            _activate(connection, number, by)
    return version(project, number)


def go_on_with(project: Project, model: Bundle, *, by: str) -> Version:
    """Make a model the active version; it is added where the project does not have it yet."""
    known = next((one for one in versions(project) if one.hash == model.hash), None)
    if known is not None:
        return activate(project, known.number, by=by)
    return add(project, model, "added", by=by)


def add(
    project: Project,
    model: Bundle,
    origin: str,
    *,
    by: str,
    parent: int | None = None,
    method: str = "",
    labels: Mapping[str, int] | None = None,
    scores: tuple[Mapping[str, Limits], Mapping[str, Limits]] = ({}, {}),
    notes: Sequence[str] = (),
    findings: Sequence[Mapping[str, Any]] = (),
) -> Version:
    """Write a model into the project and make it the active version, both or neither.

    Args:
        project: The project.
        model: The model.
        origin: See `Version`; so are the further arguments.
        by: Who made or added it.
        parent: Version it was adapted from.
        method: Method of adaptation.
        labels: Labelled cells of each class.
        scores: Scores before and after.
        notes: What is worth knowing.
        findings: Labels that look wrong, see `advice.findings`.
    """
    by = one_line(by)
    with project.store.writing() as connection:
        number = 1 + (project.store.value("SELECT MAX(number) FROM versions") or 0)
        folder = f"{number:03d}"
        model.save(project.models / folder)
        texts = {
            "classes": model.card.classes,
            "labels": labels or {},
            "before_scores": scores[0],
            "after_scores": scores[1],
            "notes": notes,
            "findings": findings,
        }
        insert(
            connection,
            "versions",
            number=number,
            name=model.card.name,
            origin=origin,
            folder=folder,
            hash=model.hash,
            parent=parent,
            method=method,
            made_by=by,
            at=now(),
            **{name: json.dumps(text, ensure_ascii=False) for name, text in texts.items()},
        )
        detail = {"version": number, "origin": origin, "hash": model.hash, "method": method}
        audit_trail.append(connection, by, "add model", **detail)
        _activate(connection, number, by)
    return version(project, number)


def _load(wanted: Version) -> Bundle:
    model = Bundle.load(wanted.folder)
    if model.hash != wanted.hash:
        raise ModelFileError(
            "the folder of this version holds another model",
            expected=wanted.hash,
            found=model.hash,
            where=wanted.folder,
            hint="put the folder back as it was, or go back to another version",
        )
    return model


def _begin(project: Project) -> int:
    """Put the shipped model into a new project."""
    with project.store.writing():
        current = active_number(project)  # another window may have been faster
        if current is None:
            current = add(project, default_model(), "start", by="hemashift").number
    return current


def _activate(connection: sqlite3.Connection, number: int, by: str) -> None:
    insert(connection, "activations", version=number, made_by=by, at=now())
    audit_trail.append(connection, by, "activate", version=number)


def _version(project: Project, row: sqlite3.Row, current: int) -> Version:
    scores = [
        {name: (value[0], value[1], value[2]) for name, value in json.loads(row[column]).items()}
        for column in ("before_scores", "after_scores")
    ]
    return Version(
        number=row["number"],
        name=row["name"],
        origin=row["origin"],
        folder=project.models / row["folder"],
        hash=row["hash"],
        classes=tuple(json.loads(row["classes"])),
        parent=row["parent"],
        method=row["method"],
        labels=json.loads(row["labels"]),
        before=scores[0],
        after=scores[1],
        notes=tuple(json.loads(row["notes"])),
        by=row["made_by"],
        at=row["at"],
        active=row["number"] == current,
    )
