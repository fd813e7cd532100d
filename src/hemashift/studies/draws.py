"""Which cells of a target are labelled, and which are only scored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError
from hemashift.splitting import allocate
from hemashift.studies.settings import DatasetSettings

Rows = npt.NDArray[np.int64]
Labelling = Literal["random", "proportional"]
# Labels come from at least so many groups (smears, patients), or from half of them.
_GROUPS = 10
# A class is in one group only if that has so many of its cells, and all others less than this part.
_LARGE, _REST = 20, 0.05


@dataclass(frozen=True, eq=False)
class Draw:
    """One choice of the cells to label.

    Attributes:
        number: Which draw it is, from 0.
        labelled: Rows of the labelled cells. Any first part of them is such a draw as well.
        scored: Rows of the cells that are scored, none of a group with a labelled cell, but for
            classes that are in one group only, see `divide`.
        seed: Seed of whatever is drawn at random in adapting to them.
    """

    number: int
    labelled: Rows
    scored: Rows
    seed: int

    def first(self, count: int) -> Draw:
        """Return the draw with fewer labels; what is scored stays the same."""
        return Draw(self.number, self.labelled[:count], self.scored, self.seed)


def usual_labels(cells: int) -> int:
    """Return how many cells the paper labels: 100, or a tenth of a small dataset (Table 3).

    Examples:
        >>> usual_labels(299), usual_labels(16633)
        (30, 100)
    """
    return max(2, min(100, round(cells / 10)))


def draw(
    cells: CellTable,
    how: DatasetSettings,
    labelling: Labelling,
    number: int,
    seed: int,
    labels: int | None = None,
) -> Draw:
    """Draw the cells to label; all others that share no group with them are scored.

    Where groups are small, cells are drawn from the whole dataset. Where they are large (smears),
    the labelled cells come from some groups only, so that others are left to score; but for classes
    of which nearly all cells lie in one group, see `divide`.

    Args:
        cells: Cells of known class.
        how: Number of labels, and the subsets for labels and scores.
        labelling: `random`, or `proportional` to the classes.
        number: Which draw.
        seed: Seed of all draws.
        labels: Number of labels in place of that of `how`.

    Raises:
        HemashiftError: A subset is not there, or there are too few cells.
    """
    wanted = labels or how.labels or usual_labels(len(cells))
    own_seed = int(np.random.SeedSequence([seed, number, 2024]).generate_state(1)[0])
    by_subset = how.labelled_in is not None or how.scored_in is not None
    if by_subset:
        offered, scored = _by_subset(cells, how)
    else:
        offered, scored = _by_group(cells, wanted, labelling, own_seed)
    if len(offered) < wanted or not len(scored):
        raise HemashiftError(
            "a dataset has too few cells for the labels that are wanted",
            expected=f"{wanted} to label and others to score",
            found=f"{len(offered)} to label, {len(scored)} to score",
            hint="ask for fewer labels",
        )
    order = _ordered(cells, offered, labelling, own_seed)
    labelled = order[:wanted]
    if not by_subset:
        scored = np.union1d(scored, _apart(cells, offered, labelled))
    return Draw(number, labelled, scored, own_seed)


def divide(cells: CellTable, share: float, strata: Rows | None, seed: int) -> Rows:
    """Divide cells into two sides, those to label from and those to score, by whole groups.

    A class (the eosinophils of Raabin) may have nearly all its cells in one group, a smear. That
    whole smear is then on one side, and the class can never be labelled and scored both. Only
    where that happens, each cell of the class in that smear is a group of its own.

    Args:
        cells: Cells of known class.
        share: Part of the cells to label from.
        strata: Number of the class of each cell, where both sides shall have their mix.
        seed: Seed of the division.

    Returns:
        `(N,)` 0 for cells to label from, 1 for those to score.
    """
    group = pd.factorize(cells.frame["group"])[0].astype(np.int64)
    shares = (share, 1 - share)
    side = allocate(group, strata, shares, seed)
    numbers = group.copy()
    for members in cells.frame.groupby("class").indices.values():
        sizes = np.bincount(group[members])
        largest = int(sizes.argmax())
        rest = len(members) - sizes[largest]
        on_one_side = len(np.unique(side[members])) == 1
        if on_one_side and sizes[largest] >= _LARGE and rest < _REST * len(members):
            alone = members[group[members] == largest]
            numbers[alone] = numbers.max() + 1 + np.arange(len(alone))
    return side if (numbers == group).all() else allocate(numbers, strata, shares, seed)


def divided_classes(cells: CellTable, how: DatasetSettings, found: Draw) -> list[str]:
    """Return the classes with labelled and scored cells of one group, see `divide`."""
    if how.labelled_in is not None or how.scored_in is not None:
        return []
    labelled, scored = (
        set(cells.frame[["class", "group"]].iloc[rows].itertuples(index=False, name=None))
        for rows in (found.labelled, found.scored)
    )
    return sorted({name for name, _ in labelled & scored})


def _by_subset(cells: CellTable, how: DatasetSettings) -> tuple[Rows, Rows]:
    subsets = cells.frame["subset"].fillna("").to_numpy(dtype=np.str_)
    everything = np.arange(len(cells))
    sides = []
    for name in (how.labelled_in, how.scored_in):
        rows = everything if name is None else np.flatnonzero(subsets == name)
        if not len(rows):
            raise HemashiftError(
                "a dataset has no such subset",
                expected=", ".join(sorted(set(subsets.tolist()) - {""})) or "no subsets",
                found=str(name),
            )
        sides.append(rows)
    offered, scored = sides
    if how.labelled_in is None:
        offered = np.setdiff1d(offered, scored)
    elif how.scored_in is None:
        scored = np.setdiff1d(scored, offered)
    elif how.labelled_in == how.scored_in:
        raise HemashiftError(
            "labels and scores would come from the same subset", found=how.labelled_in
        )
    return offered, scored


def _by_group(cells: CellTable, wanted: int, labelling: Labelling, seed: int) -> tuple[Rows, Rows]:
    group = pd.factorize(cells.frame["group"])[0]
    groups = int(group.max()) + 1
    least = min(_GROUPS, groups // 2) / groups
    # A little more than is wanted, since whole groups seldom add up to it.
    share = max((1.05 * wanted + 2) / len(cells), least)
    if groups < 2 or share >= 1:
        return np.arange(len(cells)), np.empty(0, np.int64)
    strata = pd.factorize(cells.frame["class"])[0] if labelling == "proportional" else None
    side = divide(cells, share, strata, seed)
    return np.flatnonzero(side == 0), np.flatnonzero(side == 1)


def _apart(cells: CellTable, offered: Rows, labelled: Rows) -> Rows:
    """Return the offered cells that share no group with a labelled one."""
    group = pd.factorize(cells.frame["group"])[0]
    return offered[~np.isin(group[offered], group[labelled])]


def _ordered(cells: CellTable, rows: Rows, labelling: Labelling, seed: int) -> Rows:
    """Return rows in random order; `proportional`: every first part has the mix of the whole."""
    order = np.random.default_rng([seed, 1]).permutation(rows)
    if labelling == "random":
        return order
    classes = cells.frame["class"].to_numpy(dtype=np.str_)[order]
    place = np.zeros(len(order))
    for name in np.unique(classes):
        members = np.flatnonzero(classes == name)
        place[members] = (np.arange(len(members)) + 0.5) / len(members)
    return order[np.argsort(place, kind="stable")]
