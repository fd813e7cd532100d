"""Adapt a model to a laboratory: labels in, an adapted model and an honest estimate out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hemashift.adaptation.auto import Auto, out_of_fold
from hemashift.adaptation.calibration import calibrated
from hemashift.adaptation.contract import Cells, Float, Method, Task, Unadapted
from hemashift.adaptation.grouping import joined
from hemashift.adaptation.labels import LabelFiles, LabelledCells, known_and_new, read_labels
from hemashift.adaptation.occurring import limited_to
from hemashift.adaptation.preparation import prepare
from hemashift.adaptation.registry import make_method
from hemashift.adaptation.remarks import (
    already_used,
    copies_among,
    many_outside,
    rare_lost,
    thin_classes,
)
from hemashift.adaptation.representation import expected_accuracy
from hemashift.errors import AdaptationError, ImageError, WorseModelError
from hemashift.evaluation.evaluation import Evaluation
from hemashift.evaluation.exclusion import labelled_hashes
from hemashift.evaluation.intervals import Interval
from hemashift.likeness.duplicates import find_copies
from hemashift.likeness.rings import rings
from hemashift.likeness.vectors import comparable
from hemashift.model.bundle import Bundle, default_model
from hemashift.model.heads import Encoded
from hemashift.model.runtime import Encoder
from hemashift.progress import StageProgress, of_stage
from hemashift.taxonomy import Taxonomy

# Unlabelled images that are looked at to learn what the laboratory's images have in common.
POOL = 300
_ADAPTED = " adapted ("

Limits = tuple[float, float | None, float | None]
"""Estimate, lower and upper limit; None where none can be given."""


@dataclass(frozen=True, eq=False)
class Adapted:
    """An adapted model, and how good it is.

    Attributes:
        bundle: The adapted model; `bundle.save(folder)` writes it.
        method: The method that made it; under `auto`, the one chosen.
        before: The model it started from, on the labelled cells. It never learnt from them.
        after: Out-of-fold predictions: each labelled cell by a model adapted without it.
        expected: Accuracy to expect on all cells of the laboratory, see `expected_accuracy`.
        counts: Labelled cells of each class, 0 where there is none.
        notes: What is worth knowing, in sentences.
        cells: The labelled cells and the rest of the folder.
    """

    bundle: Bundle
    method: str
    before: Evaluation
    after: Evaluation
    expected: Interval
    counts: dict[str, int]
    notes: tuple[str, ...]
    cells: LabelledCells | None = None


def adapt(
    images: str | Path,
    labels: LabelFiles,
    *,
    model: Bundle | None = None,
    method: str = "auto",
    seed: int = 0,
    taxonomy: Taxonomy | None = None,
    only: Sequence[str] | None = None,
    progress: StageProgress | None = None,
) -> Adapted:
    """Adapt a model to the images of a laboratory with a few labels.

    Args:
        images: Folder of images, one cell an image, searched recursively. Most methods
            learn from images without a label, too; no label is ever used for these.
        labels: CSV file, several, or a frame, with the columns `path`, relative to `images`,
            and `label`, and perhaps one for smear or patient, see `read_labels`. Cells labelled
            `outside` teach what is none of the classes.
        model: The model to start from; the shipped one by default.
        method: One of `hemashift.adaptation.registry.METHODS`. `auto` takes
            `blend`, unless cross-validation inside the labels clearly prefers `probe` or
            `prototypes`; `student`, `lpft` and `finetune` need the extra `train`.
        seed: Seed of folds and training.
        taxonomy: What labels mean; the built-in one by default.
        only: Those classes of the model that occur in the laboratory, where that is known; it
            never gives the others. Classes of labelled cells occur in any case.
        progress: Called with what is being done, the number done, and the total.

    Returns:
        The adapted model and its cross-validated scores.

    Raises:
        HemashiftError: Unknown method.
        TableError: The label file is not readable as one.
        AdaptationError: The labels contradict each other or are too few, or the model does not
            know a class of `only`.
        ImageError: A labelled image cannot be read.
        WorseModelError: The adapted model would be worse than the one it started from.
    """
    start = model or default_model()
    chosen = make_method(method, progress)
    cells = read_labels(images, labels, start.card.classes, taxonomy)
    limited, said = limited_to(start, only, taxonomy, labelled=cells.labels)
    task, notes = make_task(limited, cells, seed, progress)
    # A model that was adapted before has learnt from the earlier cells too.
    earlier = labelled_hashes(start.card.provenance)
    seen = already_used(cells, earlier)
    try:
        adapted = adapt_task(task, chosen, progress)
    except WorseModelError as error:
        error.hint = seen[0] if seen else error.hint
        raise
    return replace(
        adapted,
        bundle=recorded(adapted, cells, seed, start),
        notes=(*cells.notes, *said, *notes, *seen, *adapted.notes),
        cells=cells,
    )


def make_task(
    model: Bundle, cells: LabelledCells, seed: int, progress: StageProgress | None = None
) -> tuple[Task, list[str]]:
    """Read and encode the labelled images and a sample of the others.

    Returns:
        The task, and what is worth knowing about the images.

    Raises:
        ImageError: A labelled image cannot be read.
    """
    encoder = Encoder(model)
    own, _, unreadable = prepare(
        model,
        encoder,
        [*cells.paths, *cells.strangers],
        on_image=of_stage(progress, "reading labelled cells"),
    )
    if unreadable:
        raise ImageError(
            f"{len(unreadable)} of {len(cells) + len(cells.strangers)} labelled images cannot be "
            "read",
            found="\n".join(unreadable[:5]),
            hint="mend them, or remove their rows from the label file",
        )
    pool, _, skipped = prepare(
        model,
        encoder,
        sample(cells.unlabelled, seed),
        on_image=of_stage(progress, "reading unlabelled cells"),
    )
    notes = (
        [f"Unlabelled images passed over, unreadable or masks: {len(skipped)}."] if skipped else []
    )
    task = task_of(model, cells, own, pool.encoded, seed)
    return replace(task, pool_images=pool.images), notes


def sample(paths: Sequence[Path], seed: int) -> list[Path]:
    """Return the unlabelled images that are looked at: all, or `POOL` drawn at random."""
    if len(paths) <= POOL:
        return list(paths)
    rng = np.random.default_rng([seed, 3])
    return [paths[i] for i in sorted(rng.choice(len(paths), POOL, replace=False))]


def task_of(model: Bundle, cells: LabelledCells, own: Cells, pool: Encoded, seed: int) -> Task:
    """Put a task together; pictures of one and the same cell stay together.

    Args:
        model: The model to start from.
        cells: The labelled cells.
        own: The same, as the model sees them, and then the strangers.
        pool: Unlabelled cells, encoded.
        seed: Seed of everything drawn at random.
    """
    classes = known_and_new(model.card.classes, cells.labels)
    index = {name: number for number, name in enumerate(classes)}
    targets = np.array([index[label] for label in cells.labels], dtype=np.int64)
    known, rest = np.arange(len(cells)), np.arange(len(cells), len(own))
    strangers = own[rest] if len(rest) else None
    vectors = comparable(own.encoded[known])
    samples = np.stack([rings(image) for image in own.images[known]])
    copies = find_copies(vectors, samples, cells.hashes).astype(str)
    return Task(
        model,
        own[known],
        targets,
        np.array(joined(cells.groups.tolist(), copies.tolist())),
        classes,
        pool,
        seed,
        strangers=strangers,
        copies=copies,
    )


def recorded(adapted: Adapted, cells: LabelledCells, seed: int, start: Bundle) -> Bundle:
    """Return the adapted model; its card says what it was adapted with, and how good it is.

    Args:
        adapted: What was found.
        cells: The labelled cells.
        seed: Seed of everything drawn at random.
        start: The model it started from, with all its classes.
    """
    card = adapted.bundle.card
    provenance = {
        "method": adapted.method,
        "seed": seed,
        "labels": adapted.counts,
        "strangers": len(cells.strangers),
        "labelled_sha256": sorted(
            labelled_hashes(card.provenance).union(cells.hashes, cells.stranger_hashes)
        ),
    }
    scores = {
        when: {name: list(limits) for name, limits in headline(one).items()}
        for when, one in (("before", adapted.before), ("after", adapted.after))
    }
    scores["expected"] = {"accuracy": list(limits_of(adapted.expected))}
    number = len(cells) + len(cells.strangers)
    changed = card.updated(
        **naming(start, f"{adapted.method}, {number} labels"),
        parent=start.hash,
        provenance={**card.provenance, "adaptation": provenance},
        metrics={"cross_validation": scores},
    )
    return Bundle(changed, adapted.bundle.contents)


def naming(start: Bundle, how: str) -> dict[str, str]:
    """Return name and description for the card of an adapted model.

    Args:
        start: The model it started from, perhaps an adapted one itself.
        how: How it was adapted, in a few words.
    """
    source = start.card.name.split(_ADAPTED)[0]
    return {
        "name": f"{source}{_ADAPTED}{how})",
        "description": f"Adapted from {start.card.name} to the images of one laboratory. "
        "A research tool, not a medical device.",
    }


def adapt_task(task: Task, method: Method, progress: StageProgress | None = None) -> Adapted:
    """Adapt to a task, cross-validate, calibrate, and refuse a model that is worse.

    Args:
        task: The labelled cells, encoded.
        method: The method.
        progress: Called with what is being done, the number done, and the total.

    Raises:
        AdaptationError: There are too few cells to cross-validate.
        WorseModelError: The adapted model would be worse than the one it started from.
    """
    if len(np.unique(task.groups)) < 2 or len(np.unique(task.targets)) < 2:
        raise AdaptationError("adapting needs labelled cells of at least two classes")
    if progress is not None:
        progress("adapting", 0, 1)
    before = _evaluation(task, Unadapted().fit(task).probabilities(task.cells))
    # Many small products: threads of BLAS would only wait for each other.
    with threadpool_limits(limits=1, user_api="blas"):
        fitted = method.fit(task)
        if progress is not None:
            progress("adapting", 1, 1)
        # Read before cross-validation, in which `Auto` chooses again for each fold.
        name = method.chosen if isinstance(method, Auto) else method.name
        searched: Float | None = getattr(method, "out_of_fold", None)
        told = of_stage(progress, "cross-validating")
        predicted = searched if searched is not None else out_of_fold(method, task, progress=told)
    after = _evaluation(task, predicted)
    if _accuracy(after) < _accuracy(before):
        raise WorseModelError(
            "the adapted model would be worse than the one it started from",
            expected=f"at least the accuracy before, {before.overall['accuracy']}",
            found=f"{after.overall['accuracy']} after adaptation, cross-validated",
            hint="use the model as it is, label more cells, or try another method",
        )
    bundle = calibrated(fitted.bundle(), predicted, task)
    counts = Counter(task.targets.tolist())
    labels = {label: counts.get(number, 0) for number, label in enumerate(task.classes)}
    notes = [
        *copies_among(task),
        *rare_lost(before, after),
        *thin_classes(labels),
        *many_outside(bundle, task),
    ]
    if searched is not None:
        notes.append(
            "The settings were chosen on the same folds as the score after adaptation, "
            "which is therefore a little too high."
        )
    expected = expected_accuracy(predicted, task)
    return Adapted(bundle, name, before, after, expected, labels, tuple(notes))


def _evaluation(task: Task, probabilities: Float) -> Evaluation:
    total = np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    return Evaluation(
        task.classes, task.targets, probabilities / total, groups=tuple(task.groups.tolist())
    )


def _accuracy(evaluation: Evaluation) -> float:
    return evaluation.overall["accuracy"].estimate


def headline(evaluation: Evaluation) -> dict[str, Limits]:
    """Return accuracy and macro F1: estimate, lower and upper limit; None where there is none."""
    return {name: limits_of(evaluation.overall[name]) for name in ("accuracy", "macro_f1")}


def limits_of(one: Interval) -> Limits:
    """Return estimate, lower and upper limit as they are kept, to four digits."""
    low, high = (None if np.isnan(value) else round(value, 4) for value in (one.low, one.high))
    return round(one.estimate, 4), low, high
