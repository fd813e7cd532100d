"""k-centre: the cell that is least like any labelled one, again and again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.selection.contract import Float, Pick, Problem, Rows


class KCentre:
    """Sener and Savarese 2018, "Active learning for CNNs: a core-set approach" (1708.00489).

    Greedy: each pick is the candidate farthest from all cells labelled or picked before, so that
    no cell remains far from a label. It finds rare cells, and artefacts as well.
    """

    name = "kcentre"

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose the cells least like those that are labelled; see `Strategy.choose`."""
        free = problem.candidates
        n = min(n, len(free))
        if not n:
            return []
        picked = farthest(problem.vectors[free], problem.vectors[problem.labelled], n)
        first = not len(problem.labelled)
        return [
            Pick(
                int(free[place]),
                "in the middle of all cells" if first and not order else "unlike all others so far",
            )
            for order, place in enumerate(picked)
        ]


def farthest(vectors: Float, known: Float, n: int) -> Rows:
    """Return n places, each the farthest from `known` and the places before it.

    Args:
        vectors: `(M, D)`.
        known: `(L, D)`; where L is 0, the first place is the one nearest to the mean.
        n: At most M.
    """
    distance = np.full(len(vectors), np.inf)
    for other in known:
        np.minimum(distance, _to(vectors, other), out=distance)
    picked: list[int] = []
    while len(picked) < n:
        if len(known) or picked:
            place = int(distance.argmax())
        else:
            place = int(_to(vectors, vectors.mean(axis=0)).argmin())
        picked.append(place)
        np.minimum(distance, _to(vectors, vectors[place]), out=distance)
        distance[place] = -1  # also where copies leave nothing at a distance above 0
    return np.array(picked, np.int64)


def _to(vectors: Float, other: Float) -> npt.NDArray[np.float64]:
    return np.asarray(((vectors - other) ** 2).sum(axis=1), np.float64)
