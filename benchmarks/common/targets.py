"""Datasets to move to: their cells, encoded once, and which of them are labelled in a draw."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hemashift.adaptation.adapt import POOL
from hemashift.adaptation.contract import Cells, Task
from hemashift.adaptation.preparation import prepare
from hemashift.cells import CellTable
from hemashift.datasets import load
from hemashift.model.bundle import Bundle
from hemashift.model.runtime import Encoder
from hemashift.taxonomy import Taxonomy


@dataclass(frozen=True)
class Target:
    """A dataset to move to: labels drawn from one part, scores from another or from the rest."""

    dataset: str
    labels: int
    goal: float
    labelled_in: str | None = None
    scored_in: str | None = None


TARGETS = (
    Target("jiangxi_tecom", 30, 0.92),
    Target("jin_woo_choi", 25, 0.93),
    Target("bccd_cropped", 35, 0.82),
    Target("bccd", 100, 0.81, "TRAIN", "TEST"),
)


@dataclass(frozen=True, eq=False)
class EncodedTarget:
    """All known cells of a target, prepared and encoded once."""

    table: CellTable
    cells: Cells
    targets: np.ndarray
    groups: np.ndarray
    subsets: np.ndarray

    def task(self, model: Bundle, labelled: np.ndarray, seed: int) -> Task:
        """Make the task of one draw."""
        return task_of(model, self.cells, self.targets, self.groups, labelled, seed)


def encode(
    model: Bundle, target: Target, root: Path | None, taxonomy: Taxonomy | None = None
) -> EncodedTarget:
    """Prepare and encode all known cells of a target.

    Their classes are those of the model, or of a taxonomy.
    """
    table = load(target.dataset, root, taxonomy).known()
    cells, rows, failed = prepare(model, Encoder(model), table.paths(), table.boxes())
    if failed:
        raise SystemExit(f"{target.dataset}: {failed[0]}")
    frame = table.frame.iloc[rows]
    classes = model.card.classes if taxonomy is None else taxonomy.classes
    index = {name: number for number, name in enumerate(classes)}
    return EncodedTarget(
        table,
        cells,
        frame["class"].map(index).to_numpy(dtype=np.int64),
        # Copies of one original share a group in BCCD's parts as a whole; folds go by cell there.
        np.arange(len(frame)).astype(str)
        if target.labelled_in
        else frame["group"].to_numpy(dtype=str),
        frame["subset"].fillna("").to_numpy(dtype=str),
    )


def draws(
    data: EncodedTarget, target: Target, count: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (labelled, scored) rows of each draw; whole groups are never divided."""
    for seed in range(count):
        rng = np.random.default_rng([seed, 2024])
        if target.labelled_in:
            offered = np.flatnonzero(data.subsets == target.labelled_in)
            scored = np.flatnonzero(data.subsets == target.scored_in)
            yield rng.permutation(offered)[: target.labels], scored
            continue
        order = rng.permutation(len(data.targets))
        labelled = order[: target.labels]
        taken = np.isin(data.groups, data.groups[labelled])
        yield labelled, np.flatnonzero(~taken)


def task_of(
    model: Bundle,
    cells: Cells,
    targets: np.ndarray,
    groups: np.ndarray,
    labelled: np.ndarray,
    seed: int,
    classes: tuple[str, ...] | None = None,
) -> Task:
    """Make the task of one draw: the labelled cells, and up to `POOL` of the others as images.

    The classes are those of the model, unless others are given.
    """
    others = np.setdiff1d(np.arange(len(targets)), labelled)
    pool = np.random.default_rng([seed, 3]).permutation(others)[:POOL]
    return Task(
        model,
        cells[labelled],
        targets[labelled],
        groups[labelled],
        classes or model.card.classes,
        cells.encoded[pool],
        seed,
        cells.images[pool],
    )
