"""Labels balanced between the classes by an oracle, and what it would cost to do without one.

"Twenty labelled cells of every class" sounds modest, but whoever does not know the classes yet
has to look at cell after cell until the rarest class is full. So the cells that are looked at
are counted, not only those that are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Walk:
    """A walk through cells in random order, until every class has its quota.

    Attributes:
        kept: Positions of the labelled cells in that order, rising.
        looked_at: Cells that had to be looked at to find them: the last one kept, and all before.
    """

    kept: Integers
    looked_at: int


def balanced_quotas(available: npt.ArrayLike, labels: int) -> Integers:
    """Share labels between classes as evenly as the cells allow.

    Labels are dealt one at a time to the class that has the fewest of those that have cells left,
    so that a larger number of labels never takes a cell away from a class.

    Args:
        available: `(K,)` cells of each class.
        labels: Number of labels to deal.

    Returns:
        `(K,)` labels of each class; they sum to `labels`, or to all cells where those are fewer.

    Examples:
        >>> balanced_quotas([100, 3, 0, 50], 30).tolist()
        [14, 3, 0, 13]
    """
    left = np.asarray(available, np.int64).copy()
    quotas = np.zeros(len(left), np.int64)
    for _ in range(min(labels, int(left.sum()))):
        poorest = np.where(left > 0, quotas, np.iinfo(np.int64).max).argmin()
        quotas[poorest] += 1
        left[poorest] -= 1
    return quotas


def walk_to_balance(targets: npt.ArrayLike, labels: int) -> Walk:
    """Walk through cells until each class has its balanced quota, keeping only what is needed.

    For a class with m of N cells and a quota of q, q (N + 1) / (m + 1) cells are looked at on
    average (the mean of the negative hypergeometric distribution); for several classes, the mean
    over random orders tells.

    Args:
        targets: `(N,)` class index of the cells, in random order.
        labels: Number of labels to deal, see `balanced_quotas`.

    Examples:
        >>> walk = walk_to_balance([0, 0, 0, 0, 1, 0, 1], 4)
        >>> walk.kept.tolist(), walk.looked_at
        ([0, 1, 4, 6], 7)
    """
    order = np.asarray(targets, np.int64)
    quotas = balanced_quotas(np.bincount(order), labels)
    places = [np.flatnonzero(order == k)[:quota] for k, quota in enumerate(quotas)]
    kept = np.sort(np.concatenate([*places, np.empty(0, np.int64)])).astype(np.int64)
    return Walk(kept, int(kept[-1]) + 1 if len(kept) else 0)
