"""What can be learnt from the labels so far, by the probe, without keeping any image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.grouping import grouped
from hemashift.adaptation.labels import known_and_new
from hemashift.adaptation.probe import Probe
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.selection.contract import Float, Rows

# The least that a probe is asked to learn from.
LEAST_LABELS, LEAST_CLASSES = 6, 2


def only_encoded(encoded: Encoded) -> Cells:
    """Return cells without their images, which no probe looks at."""
    return Cells(np.empty((len(encoded), 0, 0, 3), np.uint8), encoded)


def probe_task(
    model: Bundle,
    encoded: Encoded,
    cells: Rows,
    labelled: Rows,
    targets: Rows,
    classes: tuple[str, ...],
    seed: int,
) -> Task:
    """Make the task of adapting a model by a probe.

    Args:
        model: The model to start from.
        encoded: What its encoder says about the N images of a laboratory.
        cells: `(N,)` number of the cell that each shows; pictures of one cell share a fold.
        labelled: `(L,)` rows with a label.
        targets: `(L,)` class index of each.
        classes: K names.
        seed: Seed of everything drawn at random.
    """
    others = np.setdiff1d(np.arange(len(encoded)), labelled)
    if len(others) > POOL:
        rng = np.random.default_rng([seed, 3])
        others = np.sort(rng.choice(others, POOL, replace=False))
    return Task(
        model,
        only_encoded(encoded[labelled]),
        targets,
        cells[labelled].astype(str),
        classes,
        encoded[others],
        seed,
    )


def task_of_labels(
    model: Bundle,
    encoded: Encoded,
    cells: Rows,
    meanings: Mapping[int, str],
    named: Mapping[int, str],
    seed: int,
) -> Task:
    """Make the task of learning from a label file by a probe.

    Classes that the model does not know come behind those that it knows. Smears and patients that
    the file names are kept apart, see `grouped`.

    Args:
        model: The model to start from.
        encoded: What its encoder says about the N images of a laboratory.
        cells: `(N,)` number of the cell that each shows; pictures of one cell share a fold.
        meanings: Class of each labelled row.
        named: Smear or patient of each of these; empty for none.
        seed: Seed of everything drawn at random.

    Returns:
        The task; its cells are in the order of the rows.
    """
    classes = known_and_new(model.card.classes, meanings.values())
    rows = sorted(meanings)
    labels = [meanings[row] for row in rows]
    targets = np.array([classes.index(label) for label in labels], np.int64)
    task = probe_task(model, encoded, cells, np.array(rows, np.int64), targets, classes, seed)
    together, _ = grouped(task.groups.tolist(), [named[row] for row in rows], labels)
    return replace(task, groups=np.array(together)) if together else task


def enough_to_learn(targets: Rows) -> bool:
    """Tell whether a probe can learn from labels: six of two classes."""
    return len(targets) >= LEAST_LABELS and len(np.unique(targets)) >= LEAST_CLASSES


def learnt(task: Task, encoded: Encoded) -> Float | None:
    """Return `(N, K)` class probabilities of all cells by a probe that learnt from the labels.

    None where there are too few labels to learn from.
    """
    if not enough_to_learn(task.targets):
        return None
    return Probe().fit(task).probabilities(only_encoded(encoded))
