"""The cells of a laboratory, seen once, divided, and labelled in the order of a strategy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from common.targets import Target, encode, task_of
from hemashift.adaptation.contract import Cells, Task
from hemashift.likeness.duplicates import find_copies
from hemashift.likeness.rings import rings
from hemashift.likeness.vectors import comparable
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Encoded
from hemashift.selection import DEFAULT, STRATEGIES
from hemashift.selection.contract import Problem
from hemashift.selection.learning import learnt, probe_task
from hemashift.taxonomy import Taxonomy

ROUND = 10
AT_ONCE = "balanced at once"
# They know nothing of labels, or make no use of them, so that one round is as good as many.
ONE_ROUND = ("random", "typiclust", "kcentre", "probcover", AT_ONCE)


@dataclass(frozen=True, eq=False)
class Laboratory:
    """All known cells of a target, seen once.

    Attributes:
        images: `(N, S, S, 3)`, prepared.
        encoded: What the encoder says about them.
        targets: `(N,)` class index.
        cells: `(N,)` number of the cell, the same for pictures of one cell.
        halves: `(N,)` number of what must stay in one half.
        offered: `(N,)` whether the cell may be in the half to choose from.
        scored: `(N,)` whether it may be in the test set.
    """

    images: np.ndarray
    encoded: Encoded
    targets: np.ndarray
    cells: np.ndarray
    halves: np.ndarray
    offered: np.ndarray
    scored: np.ndarray

    def task(self, model: Bundle, labelled: np.ndarray, seed: int) -> Task:
        """Make the task of one draw."""
        cells = Cells(self.images, self.encoded)
        return task_of(model, cells, self.targets, self.cells.astype(str), labelled, seed)


def visit(
    model: Bundle, target: Target, root: Path | None, taxonomy: Taxonomy | None = None
) -> Laboratory:
    """Encode a target, as `encode` does, and find out which of its pictures show one cell."""
    data = encode(model, target, root, taxonomy)
    everything = data.cells.encoded
    samples = np.stack([rings(image) for image in data.cells.images])
    vectors = comparable(everything)
    everywhere = np.ones(len(vectors), bool)
    return Laboratory(
        data.cells.images,
        everything,
        data.targets,
        find_copies(vectors, samples),
        # Cells of one group are linked as files with one hash would be.
        find_copies(vectors, samples, data.groups.tolist()),
        data.subsets == target.labelled_in if target.labelled_in else everywhere,
        data.subsets == target.scored_in if target.scored_in else everywhere,
    )


def divide(laboratory: Laboratory, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to choose from and those of the test set."""
    rng = np.random.default_rng([seed, 2024])
    names = rng.permutation(laboratory.halves.max() + 1)
    first = np.isin(laboratory.halves, names[: len(names) // 2])
    chosen_from = first & laboratory.offered
    scored = laboratory.scored & ~np.isin(laboratory.halves, laboratory.halves[chosen_from])
    return np.flatnonzero(chosen_from), np.flatnonzero(scored)


def label(
    model: Bundle, laboratory: Laboratory, rows: np.ndarray, name: str, n: int, seed: int
) -> Iterator[np.ndarray]:
    """Yield the places labelled after each round, until there are n.

    A cell of class -1 is labelled as none of the classes: it is not asked for again.
    """
    encoded, truth = laboratory.encoded[rows], laboratory.targets[rows]
    cells, vectors = laboratory.cells[rows], comparable(encoded)
    source = model.head.probabilities(encoded)
    strategy = STRATEGIES[DEFAULT if name == AT_ONCE else name]
    labelled = np.empty(0, np.int64)
    while len(labelled) < n:
        is_known = truth[labelled] >= 0
        known, closed, targets = labelled[is_known], labelled[~is_known], truth[labelled[is_known]]
        task = probe_task(model, encoded, cells, known, targets, model.card.classes, seed)
        current = learnt(task, encoded)
        problem = Problem(
            vectors, cells, source, model.card.classes, known, targets, current, closed, seed
        )
        many = n - len(labelled) if name in ONE_ROUND else min(ROUND, n - len(labelled))
        picks = strategy.choose(problem, many)
        if not picks:
            return
        labelled = np.concatenate([labelled, [pick.row for pick in picks]])
        yield labelled
