"""Audit: what is probably wrong with labels, found before a model learns from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.adaptation.auto import out_of_fold
from hemashift.adaptation.contract import Task, widen
from hemashift.adaptation.labels import LabelFiles
from hemashift.adaptation.probe import Probe
from hemashift.audit.copies import copy_findings
from hemashift.audit.exchanged import exchange_findings
from hemashift.audit.findings import SEVERITIES, Finding, Severity, in_order
from hemashift.audit.label_file import (
    contradiction_findings,
    unknown_findings,
    unreadable_findings,
)
from hemashift.audit.smears import smear_findings
from hemashift.audit.wrong_labels import wrong_label_findings
from hemashift.errors import AdaptationError
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.model.bundle import Bundle, default_model
from hemashift.progress import StageProgress
from hemashift.selection.label_rows import LabelRow, all_images, read_rows
from hemashift.selection.learning import task_of_labels
from hemashift.selection.looking import Seen, look
from hemashift.selection.stopping import LEAST
from hemashift.taxonomy import Taxonomy


@dataclass(frozen=True)
class Audit:
    """What was found about the labels of a laboratory.

    Attributes:
        root: The folder of images.
        n_images: Images that could be read.
        counts: Labelled images of each class.
        findings: The most serious first.
        model: Name of the model whose opinion was asked.
    """

    root: Path
    n_images: int
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    model: str

    @property
    def severities(self) -> dict[Severity, int]:
        """Number of findings of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}


def audit(
    images: str | Path,
    labels: LabelFiles,
    model: Bundle | None = None,
    *,
    seed: int = 0,
    taxonomy: Taxonomy | None = None,
    progress: StageProgress | None = None,
) -> Audit:
    """Look for exchanged classes, wrong labels, copies, and classes from one smear only.

    Args:
        images: Folder of images, one cell an image, searched recursively.
        labels: CSV file, several, or a frame, with the columns `path` and `label`, and perhaps
            `group`, `smear`, `slide` or `patient`; without these, the folder of an image is
            its smear.
        model: A model that has not learnt from these labels; the shipped one by default.
        seed: Seed of the folds.
        taxonomy: What labels mean; the built-in one by default.
        progress: Called with what is being done, the number done, and the total.

    Raises:
        TableError: The label file cannot be read as one.
        AdaptationError: A labelled image is not there, or nothing is labelled.
        ImageError: The folder holds no image that can be read.
    """
    start = model or default_model()
    root = Path(images)
    rows = read_rows(root, labels, start.card.classes, taxonomy)
    labelled = [row for row in rows if row.meaning is not None]
    paths = all_images(root, rows)
    if not labelled:
        raise AdaptationError("there is no label to look at", where=str(root))
    seen = look(start, paths, progress)
    with threadpool_limits(limits=1):
        findings = _findings(start, seen, [row for row in rows if row.label], root, seed)
    counts = Counter(row.meaning for row in labelled if row.meaning is not None)
    return Audit(root, len(seen), dict(sorted(counts.items())), findings, start.card.name)


def _findings(
    model: Bundle, seen: Seen, rows: Sequence[LabelRow], root: Path, seed: int
) -> tuple[Finding, ...]:
    classed = [row for row in rows if row.meaning is not None]
    first = _by_image(rows)
    places = seen.places()
    kept = {places[path]: row for path, row in _by_image(classed).items() if path in places}
    names = tuple(path.relative_to(root).as_posix() for path in seen.paths)
    said = {places[path]: row.said for path, row in first.items() if path in places}
    findings = [
        *unreadable_findings([row for path, row in first.items() if path not in places]),
        *contradiction_findings(rows),
        *unknown_findings(classed, model.card.classes),
        *copy_findings(seen.cells, tuple(map(said.get, range(len(seen)))), names),
        *smear_findings(
            [str(row.meaning) for row in kept.values()],
            [row.group or str(Path(row.name).parent) for row in kept.values()],
            [row.name for row in kept.values()],
        ),
    ]
    findings += _learnt_already(model, [seen.hashes[place] for place in kept])
    task, order = _task(model, seen, kept, seed)
    source = widen(model.head.probabilities(task.cells.encoded), len(task.classes))
    own_names = tuple(names[place] for place in order)
    findings += exchange_findings(task.targets, source, task.classes, own_names)
    if len(task) >= LEAST and len(np.unique(task.targets)) > 1:
        predicted = out_of_fold(Probe(), task)
        findings += wrong_label_findings(task.targets, predicted, source, task.classes, own_names)
    return in_order(findings)


def _by_image(rows: Sequence[LabelRow]) -> dict[Path, LabelRow]:
    """Return the first row of each image."""
    first: dict[Path, LabelRow] = {}
    for row in rows:
        first.setdefault(row.path.resolve(), row)
    return first


def _task(
    model: Bundle, seen: Seen, kept: dict[int, LabelRow], seed: int
) -> tuple[Task, list[int]]:
    """Return the task of learning from the labels, and the row of each of its cells.

    Of several pictures of one cell with one label the first counts, for they prove nothing more.
    Cells of one smear or patient, where the file names them, are predicted without each other:
    who errs on one of them errs on the others in the same way.
    """
    meanings: dict[int, str] = {}
    known = set()
    for place, row in sorted(kept.items()):
        label = (int(seen.cells[place]), str(row.meaning))
        if label not in known:
            known.add(label)
            meanings[place] = str(row.meaning)
    named = {place: kept[place].group for place in meanings}
    return task_of_labels(model, seen.encoded, seen.cells, meanings, named, seed), list(meanings)


def _learnt_already(model: Bundle, hashes: Sequence[str]) -> list[Finding]:
    """Say that a model has learnt from some of the labels, so that it defends them."""
    known = labelled_hashes(model.card.provenance)
    count = sum(digest in known for digest in hashes)
    if not count:
        return []
    return [
        Finding(
            "model",
            "warning",
            f"The model has learnt from {count} of these labels: it cannot judge them.",
            "Give the model that it was adapted from.",
        )
    ]
