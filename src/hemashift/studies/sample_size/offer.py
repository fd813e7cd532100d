"""Half of a target to draw labels from, the other half to score: the same for every sample."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from hemashift.errors import HemashiftError
from hemashift.studies.data import Dataset
from hemashift.studies.draws import Draw, divide, draw
from hemashift.studies.sample_size.oracle import Integers, walk_to_balance

Sampling = Literal["random", "balanced"]


@dataclass(frozen=True, eq=False)
class Offer:
    """Cells in the random order in which a person would look at them, and those to score.

    Attributes:
        order: The draw in which everything offered is labelled.
        targets: `(N,)` class index of the offered cells, in that order.
    """

    order: Draw
    targets: Integers

    def samples(self, sizes: Sequence[int]) -> Iterator[tuple[int, Sampling, Draw, int]]:
        """Yield number of labels, sampling, draw, and cells looked at, for every sample.

        A smaller sample is the beginning of a larger one, and all are scored on the same cells,
        so that their differences are due to the labels.
        """
        for size in sizes:
            yield size, "random", self.order.first(size), size
            walk = walk_to_balance(self.targets, size)
            kept = replace(self.order, labelled=self.order.labelled[walk.kept])
            yield size, "balanced", kept, walk.looked_at


def offer(dataset: Dataset, number: int, seed: int, least: int) -> Offer:
    """Put the cells of a target in random order and set some aside to score.

    Where the settings name subsets, labels and scores come from these. Otherwise they come from
    two halves that share no group, but for classes that are in one group only.

    Args:
        dataset: The target.
        number: Which draw, from 0.
        seed: Seed of all draws.
        least: Most labels that will be asked for.

    Raises:
        HemashiftError: There are too few cells, or a subset is not there.
    """
    how = dataset.settings
    if how.labelled_in is None and how.scored_in is None:
        order = _halves(dataset, number, seed)
    else:
        subset = dataset.cells.frame["subset"]
        offered = subset == how.labelled_in if how.labelled_in else subset != how.scored_in
        count = max(2, int(offered.sum()))
        order = draw(dataset.cells, how, "random", number, seed, labels=count)
    if len(order.labelled) < least:
        raise HemashiftError(
            "a dataset has too few cells to draw so many labels from",
            expected=f"{least} in one half, or in the subset for labels",
            found=str(len(order.labelled)),
            where=dataset.name,
            hint="ask for smaller sizes, or leave the dataset out by `least`",
        )
    codes, _ = pd.factorize(dataset.cells.frame["class"], sort=True)
    # Numbered from 1: what a model adapted to the first draw sees is kept for other studies,
    # which use draws of their own.
    return Offer(replace(order, number=number + 1), codes[order.labelled].astype(np.int64))


def _halves(dataset: Dataset, number: int, seed: int) -> Draw:
    own_seed = int(np.random.SeedSequence([seed, number, 2025]).generate_state(1)[0])
    side = divide(dataset.cells, 0.5, None, own_seed)
    order = np.random.default_rng(own_seed).permutation(np.flatnonzero(side == 0))
    return Draw(number, order, np.flatnonzero(side == 1), own_seed)
