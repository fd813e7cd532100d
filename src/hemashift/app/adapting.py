"""Adapting the model to the labels of the project: a new version of the model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from hemashift.adaptation.adapt import (
    adapt_task,
    headline,
    limits_of,
    recorded,
    sample,
    task_of,
)
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.labels import LabelledCells, read_labels, some_of
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.registry import make_method
from hemashift.adaptation.unlabelled import UNLABELLED
from hemashift.adaptation.without_labels import adapt_encoded
from hemashift.app import advice, encodings, labelling, versions
from hemashift.app.encoding_cache import EncodingCache
from hemashift.app.versions import Version
from hemashift.audit.wrong_labels import find_wrong
from hemashift.errors import AdaptationError
from hemashift.evaluation import Evaluation
from hemashift.images import list_images, read_image
from hemashift.model.bundle import Bundle
from hemashift.progress import StageProgress

if TYPE_CHECKING:
    from hemashift.app.project import Project

_ONE_LEFT = "1 cell was left out: readers disagree about it."


def adapt_project(
    project: Project,
    *,
    by: str,
    method: str = "auto",
    seed: int = 0,
    told: StageProgress | None = None,
) -> Version:
    """Adapt the model that the project began with to the settled labels.

    Where nothing is labelled, it is adapted to the images alone (`adapt_encoded`): a first look.

    The new version becomes the active one. Until it is complete the one before stays active,
    also after an interruption. Every adaptation starts from the version that has learnt from no
    label of this project, so that the scores before and after are honest. The model is the one
    that `hemashift adapt` makes of the same labels, method and seed.

    Args:
        project: The project.
        by: Who asked for it.
        method: As of `hemashift adapt`; without labels only `auto`.
        seed: Seed of folds, training, and the images that are looked at.
        told: Told what is being done, the number done, and the total.

    Returns:
        The new version, with `before`, `after` and `notes`.

    Raises:
        AdaptationError: The labels are too few, or contradict each other; or nothing is labelled
            and there are too few images; or labelled images were changed since the import.
        WorseModelError: The adapted model would be worse; the version before stays active.
    """
    tell = told or (lambda step, done, total: None)
    start = versions.source(project)
    model = versions.bundle(project, start.number)
    known = labelling.settled(project)
    if method == "auto" and not (known.labels or known.disputed):
        return _without_labels(project, model, start, by, seed, tell)
    names = {row[0]: row[1] for row in project.store.rows("SELECT id, path FROM cells")}
    groups = project.groups()
    frame = pd.DataFrame(
        [(names[c], label, groups.get(c, "")) for c, label in known.for_adapting().items()],
        columns=["path", "label", "group"],
    )
    cells = read_labels(project.images, frame, model.card.classes)
    chosen = make_method(method, tell)
    only = project.occurring(model.card.classes)
    limited, said = limited_to(model, only, labelled=cells.labels)
    task = _task(project, limited, cells, seed, tell)
    adapted = adapt_task(task, chosen, tell)
    notes = [*cells.notes, *said, *adapted.notes]
    if known.disputed:
        left = f"{len(known.disputed)} cells were left out: readers disagree about them."
        notes.append(_ONE_LEFT if len(known.disputed) == 1 else left)
    made = versions.add(
        project,
        recorded(adapted, cells, seed, model),
        "adapted",
        by=by,
        parent=start.number,
        method=adapted.method,
        labels=adapted.counts,
        scores=(
            headline(adapted.before),
            {**headline(adapted.after), "expected": limits_of(adapted.expected)},
        ),
        notes=notes,
        findings=_findings(adapted.after, cells, project, known.labels),
    )
    tell("learning curve", 0, 1)
    advice.keep(project, made.number, task)
    tell("learning curve", 1, 1)
    return made


def _without_labels(
    project: Project, model: Bundle, start: Version, by: str, seed: int, tell: StageProgress
) -> Version:
    """Adapt as `hemashift adapt` does without labels, from kept encodings."""
    digests = _digests(project, sample(list_images(project.images), seed))
    encodings.encode(project, model, digests, tell)
    kept = encodings.of_model(project, model)
    tell("adapting", 0, 1)
    only = project.occurring(model.card.classes)
    seen = kept.of([one for one in digests if one in kept])
    adapted = adapt_encoded(model, seen, seed, only=only)
    tell("adapting", 1, 1)
    return versions.add(
        project,
        adapted.bundle,
        "adapted",
        by=by,
        parent=start.number,
        method=UNLABELLED,
        notes=str(adapted).splitlines(),
    )


def _task(
    project: Project, model: Bundle, cells: LabelledCells, seed: int, tell: StageProgress
) -> Task:
    """Make the task that `hemashift.adaptation.adapt.make_task` makes, from kept encodings."""
    pool = _digests(project, sample(cells.unlabelled, seed))
    labelled = [*cells.hashes, *cells.stranger_hashes]
    encodings.encode(project, model, [*labelled, *pool], tell)
    kept = encodings.of_model(project, model)
    _refuse_changed(project, cells, kept)
    prepare = model.card.preprocessing
    images = np.stack([prepare(read_image(path)) for path in (*cells.paths, *cells.strangers)])
    own = Cells(images, kept.of(labelled))
    return task_of(model, cells, own, kept.of([one for one in pool if one in kept]), seed)


def _refuse_changed(project: Project, cells: LabelledCells, kept: EncodingCache) -> None:
    """Refuse labels whose image now holds another picture than the one that was labelled."""
    known = _known(project)
    names = [
        path.relative_to(project.images).as_posix() for path in (*cells.paths, *cells.strangers)
    ]
    hashes = (*cells.hashes, *cells.stranger_hashes)
    changed = [
        name
        for name, digest in zip(names, hashes, strict=True)
        if known.get(name) != digest or digest not in kept
    ]
    if changed:
        raise AdaptationError(
            f"{len(changed)} of {len(names)} labelled images were changed since the import",
            found=some_of(changed),
            where=project.images,
            hint="import the folder again, with 'Look for new images' on the page Project",
        )


def _digests(project: Project, paths: Sequence[Path]) -> list[str]:
    """Return the hashes of those images that the project can use."""
    known = _known(project)
    names = [path.relative_to(project.images).as_posix() for path in paths]
    return [known[name] for name in names if name in known]


def _known(project: Project) -> dict[str, str]:
    """Return the hash of each image that the project can use, by its name."""
    rows = project.store.rows("SELECT path, sha256 FROM cells WHERE status = 'ready'")
    return {row[0]: row[1] for row in rows}


def _findings(
    after: Evaluation, cells: LabelledCells, project: Project, labels: Mapping[int, str]
) -> list[dict[str, Any]]:
    """Return what `hemashift audit` calls wrong labels, the least believable first."""
    wrong, looks = find_wrong(after.y_true, after.probabilities.astype(np.float32))
    rows = project.store.rows("SELECT path, id FROM cells WHERE status = 'ready'")
    ids = {row[0]: row[1] for row in rows}
    found = []
    for row, suggested in zip(wrong.tolist(), looks.tolist(), strict=True):
        cell = ids[cells.paths[row].relative_to(project.images).as_posix()]
        found.append(
            {
                "cell": cell,
                "label": labels[cell],
                "suggested": after.classes[suggested],
                "probability": float(after.probabilities[row, suggested]),
            }
        )
    return found
