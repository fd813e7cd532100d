"""How little any of the classes speaks for a cell.

An immature cell may lie close to the mature ones and still have little of what makes out any of
them. The energy of a probe says so (Liu et al. 2020, arXiv 2010.03759): minus the logarithm of the
sum of the exponentials of its logits. Probabilities compare the classes; the energy says how much
speaks for any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from hemashift.trust.softmax import Float, fit_softmax, span
from hemashift.trust.spread import Integers, Vectors

# Far weaker than what serves the classes best: what is asked here is how much, not which.
_PENALTY = 0.01


@dataclass(frozen=True, eq=False)
class Undecided:
    """A probe of the classes, of which only the energy counts.

    Attributes:
        weights: `(K, D)` of vectors.
        biases: `(K,)`.
    """

    weights: Float
    biases: Float

    @classmethod
    def fit(
        cls, vectors: Vectors, targets: Integers, towards: Float, middle: Float, length: float
    ) -> Undecided:
        """Fit the probe.

        Args:
            vectors: `(N, D)` of the labelled cells.
            targets: `(N,)` class index, 0 to K-1.
            towards: `(K, D)` weights that it is held close to; fewer rows stand for 0 in the rest.
            middle: `(D,)` mean of what the laboratory's vectors are.
            length: Root mean square length of these around it.

        Examples:
            >>> rng = np.random.default_rng(0)
            >>> cells = np.repeat(np.eye(2, 4), 20, axis=0) + rng.normal(0, 0.1, (40, 4))
            >>> classes = np.repeat([0, 1], 20)
            >>> found = Undecided.fit(cells, classes, np.zeros((2, 4)), cells.mean(axis=0), 1.0)
            >>> bool(found.energy(np.array([0.5, 0.5, 0, 0])) > found.energy(cells).max())
            True
        """
        count = max(len(towards), int(targets.max()) + 1)
        prior = np.zeros((count, vectors.shape[1]))
        prior[: len(towards)] = towards
        coordinates, basis = span((vectors - middle) / length)
        weight, bias = fit_softmax(coordinates, targets, count, _PENALTY, towards=prior @ basis.T)
        # Where the basis does not reach, no label speaks against the prior.
        weights = (prior + (weight - prior @ basis.T) @ basis) / length
        return cls(weights, bias - weights @ middle)

    def energy(self, vectors: Vectors) -> npt.NDArray[np.float64]:
        """Return the energies of vectors, `(N, D)` or `(D,)`: high where no class speaks for it."""
        found: npt.NDArray[np.float64] = -logsumexp(vectors @ self.weights.T + self.biases, axis=-1)
        return found
