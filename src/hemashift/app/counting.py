"""The differential of a project as it stands, and comparisons of readers and of versions."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hemashift.app import placing, versions
from hemashift.app.importing import problems
from hemashift.app.placing import CellView
from hemashift.app.refusals import ProjectError
from hemashift.differential import Comparison, Differential, Flag, compare, flags
from hemashift.taxonomy import OUTSIDE
from hemashift.trust.unidentified import UNIDENTIFIED

if TYPE_CHECKING:
    from hemashift.app.project import Project


@dataclass(frozen=True)
class Draft:
    """The differential as it stands, not signed.

    Attributes:
        differential: Counts, percentages and limits.
        flags: What the user's rules say about it.
        unidentified: Cells that nobody has identified; signing waits for 0.
        unconfirmed: Cells that only the model put `outside`; signing waits for 0.
        version: Version of the model, or None.
        token: Stands for exactly this state of all cells; `signing.sign` takes it.
        blocked: Why it cannot be signed, in a sentence, or None.
    """

    differential: Differential
    flags: tuple[Flag, ...]
    unidentified: int
    unconfirmed: int
    version: int | None
    token: str
    blocked: str | None


def draft(project: Project) -> Draft:
    """Return the differential as it stands."""
    views = placing.place(project)
    differential = _count(project, views)
    unconfirmed = placing.unconfirmed(views)
    return Draft(
        differential,
        flags(differential, project.flag_rules()),
        differential.unidentified,
        unconfirmed,
        versions.active_number(project),
        _token(project, views),
        _blocked(differential, unconfirmed),
    )


def compare_readers(project: Project, first: str, second: str) -> Comparison:
    """Compare the differentials that the moves and labels of two readers give on the same model.

    Raises:
        ProjectError: One of them has decided nothing, or the two are the same.
    """
    if first == second:
        raise ProjectError("a reader is compared with himself", expected="two readers", found=first)
    counts = []
    for reader in (first, second):
        views = placing.place(project, reader=reader)
        if not any(view.source in ("review", "label") for view in views):
            raise ProjectError("this reader has decided about no cell", found=reader)
        counts.append(_count(project, views))
    return compare(counts[0], counts[1], (first, second))


def compare_versions(project: Project, first: int, second: int) -> Comparison:
    """Compare the differentials that two versions of the model give, before any review.

    Raises:
        ProjectError: No such version, or it has not classified the cells.
    """
    counts, names = [], []
    for number in (first, second):
        names.append(f"version {versions.version(project, number).number}")
        views = placing.place(project, version=number, people=False)
        if any(view.source == "none" for view in views):
            raise ProjectError(
                "this version has not classified all cells",
                found=f"version {number}",
                hint="make it the active one and wait until the cells are classified",
            )
        counts.append(_count(project, views))
    return compare(counts[0], counts[1], (names[0], names[1]))


def _count(project: Project, views: Iterable[CellView]) -> Differential:
    found = Counter(view.bin for view in views)
    names = dict.fromkeys([*project.classes(), UNIDENTIFIED, OUTSIDE, *sorted(found)])
    return Differential.of({name: found[name] for name in names})


def _token(project: Project, views: Iterable[CellView]) -> str:
    """Hash all that a signature is put under."""
    state = {
        "cells": [(view.cell, view.bin, view.source, view.by) for view in views],
        "unreadable": [problem.path for problem in problems(project)],
        "model": versions.active_number(project),
        "rules": [asdict(rule) for rule in project.flag_rules()],
        "subject": asdict(project.subject()),
    }
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()


def _blocked(differential: Differential, unconfirmed: int) -> str | None:
    if differential.unidentified:
        return (
            f"{_cells(differential.unidentified, 'is', 'are')} not identified. Give each a class, "
            f"or put it {OUTSIDE}."
        )
    if unconfirmed:
        return (
            f"{_cells(unconfirmed, 'was', 'were')} put {OUTSIDE} by the model alone. It may be "
            "wrong, or have met a kind of cell that it does not know: confirm each, or give it a "
            "class."
        )
    if not differential.leucocytes:
        return "There is no leucocyte to count."
    return None


def _cells(count: int, one: str, many: str) -> str:
    """Say how many cells, with the verb that follows."""
    return f"1 cell {one}" if count == 1 else f"{count:,} cells {many}"
