"""Labelled cells of none of the classes: they teach the network in training and are then let go.

Blasts, immature granulocytes and platelets have no place in the head of the finished model. What
makes them different from each other and from the classes is worth learning all the same: features
that know more kinds of cells tell those of a new laboratory apart with fewer labels
(`docs/trials.md`, "What makes a source model travel").
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import nn

from hemashift.cells import CellTable
from hemashift.model.architectures import Network
from hemashift.taxonomy import default_taxonomy
from hemashift.training.split import Integers, Split


def others_of(
    tables: Sequence[CellTable], split: Split, part: float, seed: int
) -> tuple[CellTable, CellTable] | None:
    """Return the labelled cells of none of the classes: to train on, and held out.

    Those of a group (patient, smear) whose cells of the classes are held out are held out, too.

    Args:
        tables: One cell table a dataset.
        split: The cells of the classes, divided already.
        part: Part of them to hold out in each dataset, above 0 and below 1.
        seed: Seed of the draw.

    Returns:
        The two parts; None where there are no such cells.
    """
    trained, scored = (_groups(cells) for cells in (split.trained, split.held_out))
    shown, held_out = [], []
    for table in tables:
        frame = table.frame
        cells = table.select((frame["class"].isna() & frame["label"].notna()).to_numpy())
        side = np.array([(g in scored) - (g in trained) for g in _pairs(cells)], dtype=np.int64)
        free = cells.select(side == 0)
        shown.append(cells.select(side < 0))
        held_out.append(cells.select(side > 0))
        if len(set(free.frame["group"])) > 1:
            kept, scored_too = free.split(1 - part, seed=seed, stratify=False)
            shown.append(kept)
            held_out.append(scored_too)
    if not sum(map(len, shown)) or not sum(map(len, held_out)):
        return None
    return CellTable.concat(shown), CellTable.concat(held_out)


def _pairs(cells: CellTable) -> list[tuple[str, str]]:
    """Return dataset and group of each cell."""
    return list(cells.frame[["dataset", "group"]].itertuples(index=False, name=None))


def _groups(cells: CellTable) -> set[tuple[str, str]]:
    return set(_pairs(cells))


def kinds(cells: CellTable) -> tuple[Integers, int]:
    """Return the `(N,)` number of each cell's kind, and how many kinds there are.

    Labels that mean the same cell type in the taxonomy are one kind, in whichever dataset.
    """
    taxonomy = default_taxonomy()
    types = {label: taxonomy.resolve(label) for label in set(cells.frame["label"])}
    names = [
        label.casefold() if (kind := types[label]) is None else kind.code
        for label in cells.frame["label"]
    ]
    found, numbers = np.unique(names, return_inverse=True)
    return numbers.astype(np.int64), len(found)


def without_others(network: Network, n_classes: int) -> Network:
    """Cut the outputs of a network's head down to the first `n_classes`, in place."""
    old = cast(nn.Linear, network.head.get_submodule("output"))
    if old.out_features > n_classes:
        new = nn.Linear(old.in_features, n_classes)
        with torch.no_grad():
            new.weight.copy_(old.weight[:n_classes])
            new.bias.copy_(old.bias[:n_classes])
        network.head.set_submodule("output", new)
    return network
