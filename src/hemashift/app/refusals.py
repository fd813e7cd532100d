"""The errors of projects."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hemashift.errors import HemashiftError, of_the_system


class ProjectError(HemashiftError):
    """A project cannot be opened, or does not allow what was asked for."""


class ConflictError(ProjectError):
    """Something changed since it was on screen; look again, then repeat."""


class UnsavedError(ProjectError):
    """The disk or another program is in the way for now; the same may work later."""


def damaged(found: object, where: Path | None = None) -> ProjectError:
    """Say that the database of a project is damaged."""
    return ProjectError(
        "the file of the project is damaged",
        found=str(found),
        where=where,
        hint="close the page and put a copy of the file in its place; keep the damaged one, as "
        "much in it may still be read",
    )


def of_the_disk(error: OSError | sqlite3.OperationalError) -> HemashiftError:
    """Say in our words why a file, or the database of a project, cannot be read or written."""
    if isinstance(error, OSError):
        return of_the_system(error)
    return UnsavedError(
        "the file of the project cannot be read or written",
        found=str(error),
        hint="check that it is still there, that the disk is not full and that you may write",
    )
