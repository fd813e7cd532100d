"""The errors of projects."""

from __future__ import annotations

from hemashift.errors import HemashiftError


class ProjectError(HemashiftError):
    """A project cannot be opened, or does not allow what was asked for."""


class ConflictError(ProjectError):
    """Something changed since it was on screen; look again, then repeat."""
