"""Label propagation: labels spread to unlabelled cells that look alike, which then teach too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import entr

from hemashift.adaptation.choice import Fit
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.refinement import refine
from hemashift.trust.softmax import Float, Integers, fit_softmax

# What an unlabelled cell counts for when its label is certain; a labelled cell counts for 1.
STRENGTHS = (0.0, 0.03, 0.1, 0.3)


@dataclass
class Propagation:
    """The probe, taught by labels that were spread over a graph of neighbours as well.

    Labels are spread over the nearest neighbours among all cells (Zhou et al. 2004, "Learning with
    local and global consistency"). The softmax regression of the probe is then fitted to the
    labelled cells and to the unlabelled ones with their soft labels; the more certain, the more
    they count (Iscen et al. 2019, arXiv 1904.04717). How much they count altogether is chosen by
    cross-validation inside the labels, see `refine`; 0 makes it the probe.

    Attributes:
        neighbours: Neighbours of each cell. Few, as rare classes have few cells in the pool.
        alpha: Share of its label that a cell takes from its neighbours, 0 to below 1.
        strengths: What a cell whose label is certain may count for, to choose from.
        chosen: After `fit`, the strength chosen.
    """

    neighbours: int = 5
    alpha: float = 0.9
    strengths: tuple[float, ...] = STRENGTHS
    name: str = "propagation"
    chosen: float | None = None

    def fit(self, task: Task) -> FittedHead:
        """Choose the strength, then fit to all cells."""
        fitted, self.chosen = refine(task, self.strengths, self._with_pool)
        return fitted

    def _with_pool(self, pool: Float, penalty: float, towards: Float) -> Fit:
        def fit(
            inputs: npt.NDArray[np.floating], targets: Integers, n_classes: int, strength: float
        ) -> tuple[Float, Float]:
            everything = np.vstack([inputs, pool])
            labels = np.eye(n_classes)[targets]
            graph = neighbour_graph(everything, self.neighbours)
            soft = spread(graph, labels, self.alpha)
            weights = np.vstack([labels, strength * certainty(soft)[:, None] * soft])
            unused = np.zeros(len(everything), np.int64)
            return fit_softmax(everything, unused, n_classes, penalty, towards, weights)

        return fit


def neighbour_graph(inputs: npt.NDArray[np.floating], neighbours: int) -> Float:
    """Return how much alike neighbouring cells are, normalised as in Zhou et al. 2004.

    Two cells are linked if one is among the nearest of the other by the angle between their
    vectors. The link is the cosine to the third power, 0 where it is negative (Iscen et al. 2019).

    Args:
        inputs: `(N, D)` vectors, N at least 2.
        neighbours: Neighbours of each cell; all others where there are fewer.

    Returns:
        `(N, N)` symmetric, non-negative, with a zero diagonal and eigenvalues from -1 to 1.
    """
    lengths = np.linalg.norm(inputs, axis=1, keepdims=True)
    vectors = inputs / np.maximum(lengths, 1e-12)
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -np.inf)
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :neighbours]
    links = np.zeros_like(cosines)
    rows = np.arange(len(inputs))[:, None]
    links[rows, nearest] = np.maximum(cosines[rows, nearest], 0) ** 3
    links = np.maximum(links, links.T)
    degrees = np.sqrt(np.maximum(links.sum(axis=1), 1e-12))
    graph: Float = links / degrees[:, None] / degrees
    return graph


def spread(graph: Float, labels: Float, alpha: float) -> Float:
    """Spread labels over a graph (Zhou et al. 2004).

    Args:
        graph: `(N, N)` from `neighbour_graph`; the first L cells are labelled.
        labels: `(L, K)`, rows summing to 1.
        alpha: Share of its label that a cell takes from its neighbours, 0 to below 1.

    Returns:
        `(N - L, K)` soft labels of the others, rows summing to 1; all alike where no labelled cell
        is linked to.

    Examples:
        >>> chain = np.array([[0, 0.7, 0], [0.7, 0, 0.7], [0, 0.7, 0]])
        >>> spread(chain, np.array([[1.0, 0.0]]), 0.5)
        array([[1., 0.],
               [1., 0.]])
    """
    known, n_classes = labels.shape
    start = np.vstack([labels, np.zeros((len(graph) - known, n_classes))])
    reached = np.linalg.solve(np.eye(len(graph)) - alpha * graph, start)[known:]
    reached = np.maximum(reached, 0)  # a rounding error below
    total = reached.sum(axis=1, keepdims=True)
    soft: Float = np.where(total > 1e-12, reached / np.maximum(total, 1e-12), 1 / n_classes)
    return soft


def certainty(soft: Float) -> Float:
    """Return 1 - entropy / log K of each row: 1 for a sure label, 0 for all classes alike.

    Examples:
        >>> certainty(np.array([[1.0, 0.0], [0.5, 0.5]]))
        array([1., 0.])
    """
    sure: Float = 1 - entr(soft).sum(axis=1) / np.log(soft.shape[1])
    return sure
