"""Where the classes lie in a laboratory without labels: all moved alike, and each a little."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

Float = npt.NDArray[np.float64]

# As many cells as speak for a class being moved just like the others: the best of 5, 10 and 20
# (docs/trials-adaptation.md, "All classes moved alike").
STIFFNESS = 10.0
# Standard deviation within a class by the distance of its mean from the middle, and the number of
# cells that this counts as: what a probe finds among the cells that it learnt from.
_SPREAD = 0.12
_SPREAD_CELLS = 20.0
# Every class counts one cell more than it has, so that none is impossible.
_AT_LEAST = 1.0
# Evidence for one class over another that is not undercut, or chance would be taken for classes. In
# the source it is about 6, in the laboratories of the benchmark 3 to 4.
_LEAST_SIZE = 1.0
_ITERATIONS = 200
_SETTLED = 1e-4


@dataclass(frozen=True, eq=False)
class Mixture:
    """Normal distributions of one shape, a class each.

    Attributes:
        means: `(K, D)`.
        weight: `(K, D)` and
        bias: `(K,)`, by which `softmax(inputs @ weight.T + bias)` is the share of each class in a
            cell.
        mix: `(K,)` shares of the classes among all cells, above 0, sum 1.
    """

    means: Float
    weight: Float
    bias: Float
    mix: Float


def fit_mixture(evidence: Float, answers: Float, stiffness: float = STIFFNESS) -> Mixture:
    """Find where the classes of a probe lie among cells of which nothing is labelled.

    In the laboratories of its source, the evidence of a probe for one class is high in the cells
    of that class, and low in all others. In a new laboratory all of this is moved, by a stain that
    looks like more of one class, and shrunk. How far would be plain if one knew the classes of the
    cells, and the classes if one knew how far; so the two are found in turns, by expectation
    maximisation. The cells are a mixture of normal distributions of one shape, whose means are
    those of the source, moved and shrunk all alike, and each somewhat on its own, the more the more
    cells it has (maximum a posteriori). That one class moves alone, over the cells of another, is
    unlikely.

    Args:
        evidence: `(N, K)` of the probe, for cells centred by their mean.
        answers: `(N, K)` probabilities to start from, rows summing to 1.
        stiffness: As how many cells it counts that all classes are moved alike.

    Returns:
        The mixture.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> truth = np.repeat([0, 1], [150, 50])
        >>> moved = np.eye(2)[truth] * 5 + [4, -2] + rng.normal(size=(200, 2)) * 0.5
        >>> said = softmax(moved, axis=1)
        >>> found = fit_mixture(moved, said)
        >>> now = softmax(moved @ found.weight.T + found.bias, axis=1)
        >>> [int((one.argmax(axis=1) != truth).sum()) for one in (said, now)]
        [48, 0]
        >>> found.mix.round(2)
        array([0.75, 0.25])
    """
    count, width = answers.shape
    share = answers
    for _ in range(_ITERATIONS):
        cells = share.sum(axis=0)
        own = share.T @ evidence / np.maximum(cells, 1e-9)[:, None]
        means, size = _arranged(cells, own, stiffness)
        scatter = (size * _SPREAD) ** 2 * _SPREAD_CELLS * np.eye(width)
        for one, mean in zip(share.T, means, strict=True):
            scatter += (one[:, None] * (evidence - mean)).T @ (evidence - mean)
        mix = (cells + _AT_LEAST) / (cells + _AT_LEAST).sum()
        weight = means @ np.linalg.inv(scatter / (count + _SPREAD_CELLS))
        bias = np.log(mix) - 0.5 * (weight * means).sum(axis=1)
        before, share = share, softmax(evidence @ weight.T + bias, axis=1)
        if np.abs(share - before).max() < _SETTLED:
            break
    return Mixture(means, weight, bias, mix)


def _arranged(cells: Float, own: Float, stiffness: float) -> tuple[Float, float]:
    """Move and shrink the arrangement of the source to fit the means of some cells.

    In the source, evidence for a class is about 1 unit in its cells and 0 in others.

    Args:
        cells: `(K,)` number of cells of each class.
        own: `(K, D)` their means.
        stiffness: As how many cells it counts that all classes are moved alike.

    Returns:
        The means `(K, D)`, between those of the arrangement and of the cells; and its unit.
    """
    corners = np.eye(len(cells))
    known = cells * stiffness / (cells + stiffness)
    known /= known.sum()
    from_middle, own_from_middle = corners - known @ corners, own - known @ own
    alike = (known[:, None] * from_middle * own_from_middle).sum()
    size = max(alike / max((known[:, None] * from_middle**2).sum(), 1e-9), _LEAST_SIZE)
    arranged = size * from_middle + known @ own
    return (cells[:, None] * own + stiffness * arranged) / (cells + stiffness)[:, None], size
