"""Whether more labels are worth the effort, of which class, and which labels look wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hemashift import selection
from hemashift.adaptation.contract import Task
from hemashift.app import labelling, versions
from hemashift.app.store import insert
from hemashift.app.versions import Version
from hemashift.selection import advise
from hemashift.selection.stopping import enough_to_advise

if TYPE_CHECKING:
    from hemashift.adaptation.adapt import Limits
    from hemashift.app.project import Project

_FIRST_LABELS = 20


@dataclass(frozen=True)
class Point:
    """A point of the learning curve: a version of the model.

    Attributes:
        version: Number of the version.
        labels: Labelled cells it was adapted with.
        accuracy: Cross-validated accuracy.
        macro_f1: Cross-validated macro F1.
    """

    version: int
    labels: int
    accuracy: Limits
    macro_f1: Limits


@dataclass(frozen=True)
class Advice:
    """What to do next.

    Attributes:
        enough: Whether more labels would hardly help.
        label: Class of which to label more ("label 10 more of these"), or None.
        sentence: The advice, in a sentence.
        curve: The scores of the versions, in their order.
        details: What the advice rests on, in sentences.
        within: The learning curve inside the labels of the latest version: number of labels
            learnt from, and the accuracy on those not learnt from, 0..1.
    """

    enough: bool
    label: str | None
    sentence: str
    curve: tuple[Point, ...]
    details: tuple[str, ...] = ()
    within: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Finding:
    """A label that looks wrong.

    Attributes:
        cell: Id of the cell.
        label: What it was labelled.
        suggested: What a model says that has not seen this label.
        probability: How sure it is, 0..1.
    """

    cell: int
    label: str
    suggested: str
    probability: float


def advice(project: Project) -> Advice:
    """Return what to do next: what `hemashift select` says of the labels of the latest version."""
    known = versions.versions(project)
    curve = tuple(_point(one) for one in known if one.after)
    given = len(labelling.settled(project).labels)
    text = project.store.value("SELECT content FROM advice ORDER BY version DESC")
    if text is None:
        missing = _FIRST_LABELS - given
        sentence = (
            f"Label {missing} more {'cell' if missing == 1 else 'cells'}, then adapt."
            if missing > 0
            else "There are labels enough to adapt the model."
        )
        return Advice(False, None, sentence, curve)
    kept = json.loads(text)
    details = tuple(kept["sentences"][:-1])
    if given != kept["labels"]:
        details += (f"This is of {kept['labels']} labels, you have {given} now: adapt again.",)
    within = tuple((size, accuracy) for size, accuracy in kept["within"])
    return Advice(kept["enough"], kept["label"], kept["sentences"][-1], curve, details, within)


def keep(project: Project, version: int, task: Task) -> None:
    """Compute the advice for the labels of a version, which takes seconds, and keep it.

    Args:
        project: The project.
        version: Number of the version.
        task: What it was adapted to. With too few labels there is no advice.
    """
    if not enough_to_advise(task):
        return
    found = advise(task)
    content = {
        "enough": bool(found.enough),
        "label": _wanted(found),
        "sentences": found.sentences,
        "labels": found.labels,
        "within": []
        if found.curve is None
        else list(zip(found.curve.sizes.tolist(), found.curve.accuracy.tolist(), strict=True)),
    }
    with project.store.writing() as connection:
        insert(connection, "advice", version=version, content=json.dumps(content))


def findings(project: Project) -> list[Finding]:
    """Return the labels that look wrong to the latest adaptation, the least believable first.

    Cells whose label has changed since are left out, and labels that a person has kept.
    """
    text = project.store.value(
        "SELECT findings FROM versions WHERE origin = 'adapted' ORDER BY number DESC"
    )
    labels, kept = labelling.settled(project).labels, project.kept_labels()
    found = [Finding(**values) for values in json.loads(text or "[]")]
    return [one for one in found if labels.get(one.cell) == one.label != kept.get(one.cell)]


def _wanted(found: selection.Advice) -> str | None:
    """Return the class of which to label more: the thinnest, else the most frequent unlabelled."""
    if found.thin:
        return min(found.thin, key=lambda name: found.thin[name])
    return max(found.missing, key=lambda name: found.missing[name], default=None)


def _point(version: Version) -> Point:
    scores = version.after
    labels = sum(version.labels.values())
    return Point(version.number, labels, scores["accuracy"], scores["macro_f1"])
