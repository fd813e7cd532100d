"""Margin and entropy: the cells about which a model that learnt from the labels is in doubt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.selection.clusters import diverse_places
from hemashift.selection.contract import Float, Pick, Problem
from hemashift.selection.typiclust import TypiClust

Doubts = npt.NDArray[np.float64]


def margin(probabilities: Float) -> Doubts:
    """Return `(N,)` doubt: 1 minus the gap of the two most probable classes (0 sure, 1 torn).

    Examples:
        >>> margin(np.array([[1.0, 0.0, 0.0], [0.5, 0.25, 0.25]], np.float32)).tolist()
        [0.0, 0.75]
    """
    rising = np.sort(np.asarray(probabilities, np.float64), axis=1)
    return np.asarray(1 - (rising[:, -1] - rising[:, -2]))


def entropy(probabilities: Float) -> Doubts:
    """Return `(N,)` doubt: entropy over that of an even distribution (0 sure, 1 knows nothing).

    Examples:
        >>> entropy(np.array([[1.0, 0.0], [0.5, 0.5]], np.float32)).tolist()
        [0.0, 1.0]
    """
    found = np.asarray(probabilities, np.float64)
    logs = np.log(np.where(found > 0, found, 1))
    return np.asarray(np.abs((found * logs).sum(axis=1)) / np.log(found.shape[1]))


@dataclass(frozen=True)
class Uncertainty:
    """The most doubtful cells, of which no two in a batch are alike (`diverse_places`).

    Without a model that learnt from labels it falls back on `TypiClust`: the doubt of a model
    about images of a laboratory that it has never seen says little.

    Attributes:
        name: Its name on the command line.
        doubt: From probabilities `(N, K)` to doubt `(N,)`, 0 to 1.
    """

    name: str
    doubt: Callable[[Float], Doubts]

    def choose(self, problem: Problem, n: int) -> list[Pick]:
        """Choose doubtful cells; see `Strategy.choose`."""
        if problem.current is None:
            return TypiClust().choose(problem, n)
        free = problem.candidates
        n = min(n, len(free))
        if not n:
            return []
        doubt = self.doubt(problem.current[free])
        places = diverse_places(problem.vectors[free], doubt, n, problem.seed)
        return [Pick(int(free[place]), in_doubt(doubt[place])) for place in places]


def in_doubt(doubt: float) -> str:
    """Say why a doubtful cell was chosen.

    The classes between which the model is torn are not named: who labels should not be led.

    Examples:
        >>> in_doubt(0.934)
        'the model is in doubt (0.93 of 1)'
    """
    return f"the model is in doubt ({doubt:.2f} of 1)"


MARGIN = Uncertainty("margin", margin)
ENTROPY = Uncertainty("entropy", entropy)
