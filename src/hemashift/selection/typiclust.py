"""TypiClust: the most typical cell of every cluster that has no label yet."""

from __future__ import annotations

import numpy as np

from hemashift.selection.clusters import typical_places
from hemashift.selection.contract import Pick, Problem


class TypiClust:
    """Hacohen, Dekel and Weinshall 2022, "Active learning on a budget" (arXiv 2202.02794).

    With few labels, typical cells teach more than doubtful ones. The cells are divided into as
    many clusters as there are labels and cells to choose; the clusters without a label, the
    largest first, each give their most typical cell.
    """

    name = "typiclust"

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose the most typical cells; see `Strategy.choose`."""
        rows = np.concatenate([problem.labelled, problem.candidates])
        known = len(problem.labelled)
        n = min(n, len(rows) - known)
        if not n:
            return []
        found = typical_places(problem.vectors[rows], known, n, problem.seed)
        return [Pick(int(rows[place]), typical_of(size)) for place, size in found]


def typical_of(size: int) -> str:
    """Say why a cell was chosen that is typical of a cluster.

    Examples:
        >>> typical_of(12), typical_of(1)
        ('typical of 12 cells that look alike', 'looks like no other cell')
    """
    return f"typical of {size} cells that look alike" if size > 1 else "looks like no other cell"
