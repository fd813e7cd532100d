"""Balanced: typical cells first, then doubtful ones; rare and thin classes get their share."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.selection.clusters import diverse_places, typical_places
from hemashift.selection.contract import Pick, Problem
from hemashift.selection.typiclust import typical_of
from hemashift.selection.uncertainty import in_doubt, margin

# The source model counts as so many labels beside those given in the laboratory.
_WORTH = 10
# How far cells that look alike move apart because the model calls them differently; distances
# between cells are 1.4 at most.
_APART = 0.4


class Balanced:
    """Seeks out rare classes, by what the models at hand think each cell is.

    Without labels: clusters as in `TypiClust`, of vectors that also hold the class probabilities
    of the source model. Cells of classes that it gives rarely weigh more, by the square root of
    how rarely, so that k-means spends more clusters, and with these more labels, on them.

    With labels: the doubtful cells of `uncertainty.margin`, weighted up where they may belong to
    a class with few labels, so that a batch is spread over what is unclear and thin.

    The weights were chosen on the targets of `benchmarks/selection.py`, and are not sharp: any
    exponent from 0.25 to 0.75 did as well.
    """

    name = "balanced"

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose typical or doubtful cells; see `Strategy.choose`."""
        n = min(n, len(problem.candidates))
        if not n:
            return []
        return _typical(problem, n) if problem.current is None else _doubtful(problem, n)


def _typical(problem: Problem, n: int) -> list[Pick]:
    rows = np.concatenate([problem.labelled, problem.candidates])
    thought = problem.source[rows]
    expected = np.maximum(thought.sum(axis=0), 1)
    vectors = np.hstack([problem.vectors[rows], _APART * np.sqrt(thought)])
    weights = thought @ expected**-0.5
    known = len(problem.labelled)
    found = typical_places(vectors.astype(np.float32), known, n, problem.seed, weights)
    return [Pick(int(rows[place]), typical_of(size)) for place, size in found]


def _doubtful(problem: Problem, n: int) -> list[Pick]:
    assert problem.current is not None
    free = problem.candidates
    given = np.bincount(problem.targets, minlength=len(problem.classes))
    # The fourth root: a class without labels weighs twice as much as one with 15.
    thinness = belief(problem)[free] @ (1.0 + given) ** -0.25
    doubt = margin(problem.current[free])
    places = diverse_places(problem.vectors[free], doubt * thinness, n, problem.seed)
    return [Pick(int(free[place]), in_doubt(doubt[place])) for place in places]


def belief(problem: Problem) -> npt.NDArray[np.floating]:
    """Return `(N, K)` what each cell may be, by the model from the labels and the source model.

    A class without labels has no chance under the first; only the second can point to it.
    """
    if problem.current is None:
        return problem.source
    count = len(problem.labelled)
    return (count * problem.current + _WORTH * problem.source) / (count + _WORTH)
