"""What sets the unlabelled cells of a laboratory apart from its labelled ones.

Every labelled cell is of one of the classes; among unlabelled images there may be cells of none.
Where the two can be told apart, those are the likely reason (learning from positive and unlabelled
cells, Elkan and Noto 2008). Both are taken as differences from the centre of the nearest class, so
that another class mix is no reason. How far they can be told apart is measured on cells that were
held out: what chance alone would show is not believed.
"""

from __future__ import annotations

import numpy as np

from hemashift.trust.softmax import Float, told_apart
from hemashift.trust.spread import Vectors

# Three times less or more changes the AUROC of other cells by a point at most.
_PENALTY = 0.3


def towards_unlabelled(labelled: Vectors, unlabelled: Vectors) -> Float:
    """Return the direction in which unlabelled cells lie from labelled ones.

    Args:
        labelled: `(N, D)` differences from the nearest class, with a mean square around 1.
        unlabelled: `(M, D)` likewise; all M count as much as all N.

    Returns:
        `(D,)` weights of a logistic regression.
    """
    return told_apart(labelled, unlabelled, _PENALTY, importance=len(labelled) / len(unlabelled))


def separation(labelled: Float, unlabelled: Float) -> float:
    """Return how far two sets of scores are apart: 0 not at all, 1 completely.

    Args:
        labelled: `(N,)` scores of held-out labelled cells.
        unlabelled: `(M,)` scores of held-out unlabelled cells.

    Returns:
        Twice the area under the ROC curve, less 1; below 0 where labelled cells score higher.

    Examples:
        >>> separation(np.array([0.0, 1.0]), np.array([2.0, 3.0]))
        1.0
    """
    from sklearn.metrics import roc_auc_score  # takes half a second, and classifying needs none

    is_unlabelled = np.repeat([True, False], [len(unlabelled), len(labelled)])
    area = roc_auc_score(is_unlabelled, np.concatenate([unlabelled, labelled]))
    return float(2 * area - 1)


def beyond_chance(apart: float, n_labelled: int, n_unlabelled: int) -> float:
    """Return how much of a separation is more than chance would show.

    Args:
        apart: A `separation`.
        n_labelled: N.
        n_unlabelled: M.

    Returns:
        0 up to two standard errors of scores that tell nothing, close to `apart` far above.

    Examples:
        >>> beyond_chance(0.1, 50, 300), round(beyond_chance(0.5, 50, 300), 2)
        (0.0, 0.47)
    """
    variance = (1 / n_labelled + 1 / n_unlabelled) / 3  # of 2 U / NM - 1, Mann and Whitney 1947
    return float(np.sqrt(max(apart, 0.0) ** 2 - 4 * variance)) if apart > 2 * variance**0.5 else 0.0
