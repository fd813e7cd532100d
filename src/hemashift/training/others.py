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
from hemashift.training.split import Integers


def others_of(
    tables: Sequence[CellTable], part: float, seed: int
) -> tuple[CellTable, CellTable] | None:
    """Return the labelled cells of none of the classes: to train on, and held out.

    Args:
        tables: One cell table a dataset.
        part: Part of them to hold out in each dataset, above 0 and below 1.
        seed: Seed of the draw.

    Returns:
        The two parts; None where there are no such cells.
    """
    pairs = []
    for table in tables:
        frame = table.frame
        cells = table.select((frame["class"].isna() & frame["label"].notna()).to_numpy())
        if len(set(cells.frame["group"])) > 1:
            pairs.append(cells.split(1 - part, seed=seed, stratify=False))
    if not pairs:
        return None
    shown, held_out = zip(*pairs, strict=True)
    return CellTable.concat(shown), CellTable.concat(held_out)


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
