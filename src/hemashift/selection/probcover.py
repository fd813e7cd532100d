"""ProbCover: the cells whose surroundings hold the most cells that no label covers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.selection.clusters import cluster
from hemashift.selection.contract import Float, Pick, Problem
from hemashift.selection.kcentre import farthest

# Distances between all pairs are computed of this many cells, unless more are asked for.
_MOST = 4000
# Share of the balls that must hold cells of one pseudo-class only.
_PURITY = 0.95


class ProbCover:
    """Yehuda et al. 2022, "Active learning through a covering lens" (arXiv 2205.11320).

    A label is thought to hold for all cells within a radius. Each pick is the cell with the most
    uncovered cells in its ball. The radius is the largest at which 95 % of the balls are pure,
    by k-means clusters in place of classes. When all are covered, the rest is filled by k-centre.
    """

    name = "probcover"

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose the cells that cover most; see `Strategy.choose`."""
        free = problem.candidates
        most = max(_MOST, n)
        if len(free) > most:
            rng = np.random.default_rng([problem.seed, 13])
            free = np.sort(rng.choice(free, most, replace=False))
        n = min(n, len(free))
        if not n:
            return []
        vectors = problem.vectors[free]
        apart = _distances(vectors, vectors)
        pseudo = cluster(vectors, len(problem.classes), problem.seed)
        radius = pure_radius(apart, pseudo)
        near = apart <= radius
        uncovered = np.ones(len(free), bool)
        known = problem.vectors[problem.labelled]
        for other in known:
            uncovered &= _distances(vectors, other[None])[:, 0] > radius
        picks: list[Pick] = []
        while len(picks) < n and uncovered.any():
            gain = near[:, uncovered].sum(axis=1)
            place = int(gain.argmax())
            cells = "1 cell" if gain[place] == 1 else f"{gain[place]} cells"
            picks.append(Pick(int(free[place]), f"stands for {cells} without a label"))
            uncovered &= ~near[place]
        taken = {pick.row for pick in picks}
        rest = np.array([row for row in free if row not in taken], np.int64)
        known = np.vstack([known, problem.vectors[[pick.row for pick in picks]]])
        for place in farthest(problem.vectors[rest], known, n - len(picks)):
            picks.append(Pick(int(rest[place]), "unlike all others so far"))
        return picks


def pure_radius(apart: Float, pseudo: npt.NDArray[np.int64]) -> float:
    """Return the largest radius at which 95 % of the balls hold one pseudo-class only.

    Args:
        apart: `(M, M)` distances.
        pseudo: `(M,)` pseudo-class.
    """
    foreign = np.where(pseudo[:, None] == pseudo, np.inf, apart).min(axis=1)
    # A ball is pure up to its nearest cell of another pseudo-class.
    limit = float(np.quantile(foreign, 1 - _PURITY, method="lower"))
    return limit * (1 - 1e-6) if np.isfinite(limit) else float(apart.max())


def _distances(vectors: Float, others: Float) -> Float:
    squared = (vectors**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * vectors @ others.T
    return np.asarray(np.sqrt(np.maximum(squared, 0)), np.float32)
