"""Folds of a few labelled cells: stratified, grouped, and fit for a class with one cell."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Fold = tuple[Integers, Integers]


def folds(targets: Integers, groups: npt.NDArray[np.str_], count: int, seed: int) -> list[Fold]:
    """Split cells into folds.

    Groups are dealt class by class, the largest class first, each to the fold that has the fewest
    cells of that class and, among those, the fewest cells. A class with one cell is absent from
    the fitting part of one fold, where that cell counts as an error: nothing is known about how
    well it would be recognised.

    Args:
        targets: `(N,)` class index.
        groups: `(N,)` group of each cell; a group stays whole.
        count: Number of folds; fewer where there are fewer groups.
        seed: Seed of the order in which groups are dealt.

    Returns:
        `(fit, held_out)` row numbers of each fold.

    Examples:
        >>> parts = folds(np.array([0, 0, 0, 1, 1, 1]), np.array(list("abcdef")), 3, seed=0)
        >>> [held.tolist() for _, held in parts] == [sorted(h.tolist()) for _, h in parts]
        True
        >>> len(parts)
        3
    """
    names, member = np.unique(groups, return_inverse=True)
    count = min(count, len(names))
    rng = np.random.default_rng([seed, 77])
    main = np.array([np.bincount(targets[member == g]).argmax() for g in range(len(names))])
    sizes = np.bincount(targets)
    order = sorted(rng.permutation(len(names)), key=lambda group: -sizes[main[group]])
    load = np.zeros((count, len(sizes)))
    home = np.zeros(len(names), dtype=np.int64)
    for group in order:
        rows = member == group
        fewest = np.lexsort((rng.random(count), load.sum(axis=1), load[:, main[group]]))
        home[group] = fewest[0]
        load[fewest[0]] += np.bincount(targets[rows], minlength=len(sizes))
    fold = home[member]
    return [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]
