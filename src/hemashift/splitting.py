"""Groups of cells that belong together, and dividing them into parts with one mix of classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def linked(columns: Sequence[Sequence[str]]) -> list[int]:
    """Find the rows that belong together because they share a value, or share one with a third.

    Args:
        columns: Columns of n values each; an empty value links nothing.

    Returns:
        For each row the first one that it belongs to, itself where there is no earlier one.

    Examples:
        >>> slides, patients = ["1", "2", "2", "3"], ["A", "A", "", "B"]
        >>> linked([slides, patients])
        [0, 0, 0, 3]
    """
    parent = list(range(len(columns[0])))

    def first_of(row: int) -> int:
        while parent[row] != row:
            row = parent[row]
        return row

    for column in columns:
        seen: dict[str, int] = {}
        for row, value in enumerate(column):
            if value:
                first, other = sorted((first_of(row), first_of(seen.setdefault(value, row))))
                parent[other] = first
    return [first_of(row) for row in range(len(parent))]


def allocate(
    groups: NDArray[np.int64],
    strata: NDArray[np.int64] | None,
    shares: Sequence[float],
    seed: int,
) -> NDArray[np.int64]:
    """Give every row a part so that groups stay whole and strata are shared out evenly.

    Groups are taken in a random order, the large ones first, each into the part that then
    comes nearest to the number of cells that it shall have of every stratum (least squares,
    each stratum weighted by the inverse of its size). Where every row is a group of its own
    this is ordinary stratified sampling.

    Args:
        groups: Group of every row, integers, shape (n,).
        strata: Stratum of every row, integers from 0, shape (n,), or None for a single one.
        shares: Share of every part; they sum to 1.
        seed: The same seed gives the same parts.

    Returns:
        The part of every row, 0 to len(shares) - 1, shape (n,).

    Examples:
        >>> part = allocate(np.array([0, 0, 1, 2, 3, 4]), None, (0.5, 0.5), seed=0)
        >>> int(part[0] == part[1]), np.bincount(part).tolist()
        (1, [3, 3])
    """
    if len(groups) == 0:
        return np.zeros(0, dtype=np.int64)
    if strata is None:
        strata = np.zeros(len(groups), dtype=np.int64)
    _, member = np.unique(groups, return_inverse=True)
    counts = np.zeros((member.max() + 1, strata.max() + 1))
    np.add.at(counts, (member, strata), 1)
    # The total counts as one more stratum, so that rare strata do not all fall into one part.
    counts = np.column_stack([counts, counts.sum(axis=1)])

    size = counts.sum(axis=0)
    wanted = np.outer(np.asarray(shares), size)
    weight = 1 / np.maximum(size, 1)
    order = np.random.default_rng(seed).permutation(len(counts))
    order = order[np.argsort(-counts[order, -1], kind="stable")]

    short = wanted.copy()  # how many cells each part still lacks of each stratum
    part = np.zeros(len(counts), dtype=np.int64)
    for group in order:
        # Change of the squared shortage if this group goes into each of the parts.
        cost = (counts[group] * (counts[group] - 2 * short)) @ weight
        part[group] = np.argmin(cost)
        short[part[group]] -= counts[group]
    return part[member]
