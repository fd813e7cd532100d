"""The steps of the work, as the bar at the top of every page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from hemashift.app.project import Project, Summary
from hemashift.app.versions import versions

FEW_LABELS = 30
"""From so many labels on, labelling counts as done; it may always go on."""


@dataclass(frozen=True)
class Step:
    """A step.

    Attributes:
        slug: Its part of the address.
        name: What it is called.
        done: Whether the project has been through it.
    """

    slug: str
    name: str
    done: bool


def steps(project: Project, summary: Summary) -> list[Step]:
    """Return the steps of a project, in order."""
    adapted = any(one.active and one.after for one in versions(project))
    waiting = summary.unidentified + summary.unconfirmed
    reviewed = summary.classified >= summary.ready > 0 == waiting
    signed = summary.signed is not None
    return [
        Step("project", "Project", summary.ready > 0),
        Step("label", "Label", adapted or summary.labelled >= FEW_LABELS),
        Step("adapt", "Adapt", adapted),
        Step("review", "Review", reviewed),
        Step("differential", "Differential", signed),
        Step("sign", "Sign", signed),
    ]
