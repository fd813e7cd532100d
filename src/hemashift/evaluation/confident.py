"""Confident learning: which labels are probably wrong.

Northcutt, Jiang and Chuang 2021, "Confident Learning: Estimating Uncertainty in Dataset Labels",
Journal of Artificial Intelligence Research 70:1373-1411.

A cell counts as confidently of a class where its probability reaches what the cells labelled so
have on average. A confident class that is not the label is a likely label error. Probabilities
must be out of sample: a model that has learnt a wrong label will defend it.

There is a difference from the article: a class that is less probable than the label is never
the confident one. Cells of a rare class that a model does not recognise put the threshold of
that class near zero, and without this rule it would attract cells of all other classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemashift.evaluation.checks import check_probabilities
from hemashift.evaluation.metrics import FloatArray, IntArray, confusion_matrix

UNDECIDED = -1
"""Confident class of a cell that is confidently of none."""


@dataclass(frozen=True, eq=False)
class LabelErrors:
    """Cells whose label is probably wrong, the least believable label first.

    Attributes:
        rows: `(M,)` row numbers in the labels given.
        self_confidence: `(M,)` probability of the given label, in 0..1, rising.
        suggested: `(M,)` position of the class that the cell rather is.
    """

    rows: IntArray
    self_confidence: FloatArray
    suggested: IntArray

    def __len__(self) -> int:
        return len(self.rows)


def likely_label_errors(labels: ArrayLike, probabilities: ArrayLike) -> LabelErrors:
    """Find the cells outside the diagonal of the confident joint.

    Ranked by self-confidence, the probability of the given label: the lowest first.

    Args:
        labels: `(N,)` position of the given label, 0..K-1.
        probabilities: `(N, K)` out-of-sample class probabilities.

    Returns:
        Row numbers, self-confidence and suggested class of the likely errors. A class that no
        cell is labelled with is never suggested, as nothing is known of its usual probability.

    Raises:
        ValueError: If the labels are not positions of the K classes, one a cell.
        TableError: If the probabilities are none.

    Examples:
        >>> found = likely_label_errors(
        ...     [0, 0, 0, 1, 1], [[.9, .1], [.8, .2], [.1, .9], [.2, .8], [.1, .9]])
        >>> found.rows, found.self_confidence, found.suggested
        (array([2]), array([0.1]), array([1]))
    """
    given, scores = _checked(labels, probabilities)
    confident = _confident_classes(given, scores)
    rows = np.flatnonzero((confident != UNDECIDED) & (confident != given))
    own = scores[rows, given[rows]]
    order = np.argsort(own, kind="stable")
    return LabelErrors(rows[order], own[order], confident[rows[order]])


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[IntArray, FloatArray]:
    scores = np.asarray(probabilities, dtype=np.float64)
    scores = check_probabilities(scores, scores.shape[1] if scores.ndim == 2 else 0)
    given = np.asarray(labels)
    # Refuses what are no positions; the counts themselves are of no use here.
    confusion_matrix(given, given, scores.shape[1])
    if len(given) != len(scores):
        raise ValueError(f"{len(given)} labels but probabilities of {len(scores)} cells")
    return given.astype(np.int64), scores


def _confident_classes(given: IntArray, scores: FloatArray) -> IntArray:
    """Return the most probable class that is confident and no less probable than the label."""
    n_classes = scores.shape[1]
    # A class without a label has no usual probability: no cell reaches it.
    thresholds = np.full(n_classes, np.inf)
    for k in np.unique(given):
        thresholds[k] = scores[given == k, k].mean()
    own = scores[np.arange(len(given)), given][:, None]
    # The mean of equal numbers may differ from them in the last digit.
    reached = np.where((scores >= thresholds - 1e-12) & (scores >= own), scores, -1.0)
    best: IntArray = reached.argmax(axis=1)
    return np.where(reached.max(axis=1) >= 0, best, UNDECIDED)
