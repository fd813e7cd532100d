"""Confident learning: which labels are probably wrong, and whether two classes are exchanged.

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

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from hemashift.evaluation.checks import check_probabilities
from hemashift.evaluation.comparison import holm
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


@dataclass(frozen=True)
class Exchange:
    """Two classes whose labels look exchanged.

    Attributes:
        first: Position of the one class.
        second: Position of the other, larger.
        crossed: Cells labelled as one of the two and confidently of the other.
        kept: Cells labelled as one of the two and confidently of it.
        p_value: Chance of such a result were at least one of the two labels more often right than
            crossed, corrected for the number of pairs, in 0..1.
    """

    first: int
    second: int
    crossed: int
    kept: int
    p_value: float


def confident_joint(labels: ArrayLike, probabilities: ArrayLike) -> IntArray:
    """Count how often cells of each label are confidently of each class.

    Cells that are confidently of no class are not counted.

    Args:
        labels: `(N,)` position of the given label, 0..K-1.
        probabilities: `(N, K)` out-of-sample class probabilities.

    Returns:
        `(K, K)` counts: row = given label, column = confident class.

    Raises:
        ValueError: If the labels are not positions of the K classes, one a cell.
        TableError: If the probabilities are none.

    Examples:
        >>> confident_joint([0, 0, 0, 1, 1], [[.9, .1], [.8, .2], [.1, .9], [.2, .8], [.1, .9]])
        array([[2, 1],
               [0, 1]])
    """
    return _joint(*_checked(labels, probabilities))


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


def exchanged_classes(
    labels: ArrayLike, probabilities: ArrayLike, level: float = 0.01
) -> list[Exchange]:
    """Find pairs of classes that seem to have swapped names.

    In both classes of such a pair, more cells are confidently of the other class than of their
    own. An exact binomial test asks for each of the two whether that can be chance; the larger
    p-value stands for the pair, as both must be so (a model that calls everything by one name is
    no exchange), and Holm's correction allows for the number of pairs.

    Classes without a label are left out of the probabilities: a model that takes every second
    cell of a new laboratory for a class which is not there may still tell the others apart.

    The probabilities must come from a model that has learnt from none of these labels, such as
    the source model: one that is fitted to exchanged labels, even on other cells, exchanges the
    classes too, and nothing is seen.

    Args:
        labels: `(N,)` position of the given label, 0..K-1.
        probabilities: `(N, K)` class probabilities.
        level: Pairs with a corrected p-value above it are left out, in 0..1.

    Returns:
        The exchanged pairs, the surest first.

    Raises:
        ValueError: If the labels are not positions of the K classes, one a cell.
        TableError: If the probabilities are none.

    Examples:
        >>> labels = [0] * 20 + [1] * 20
        >>> exchanged = [[0.1, 0.9]] * 20 + [[0.9, 0.1]] * 20
        >>> [(one.first, one.second, one.crossed) for one in exchanged_classes(labels, exchanged)]
        [(0, 1, 40)]
    """
    given, scores = _checked(labels, probabilities)
    present = np.unique(given)
    joint = np.zeros((scores.shape[1], scores.shape[1]), np.int64)
    joint[np.ix_(present, present)] = _joint(
        np.searchsorted(present, given), _given_that_one_of(present, scores)
    )
    pairs = list(combinations(present.tolist(), 2))
    if not pairs:
        return []
    p_values = holm([_pair_p_value(joint, first, second) for first, second in pairs])
    found = [
        Exchange(
            first,
            second,
            crossed=int(joint[first, second] + joint[second, first]),
            kept=int(joint[first, first] + joint[second, second]),
            p_value=float(p_value),
        )
        for (first, second), p_value in zip(pairs, p_values, strict=True)
        if p_value <= level
    ]
    return sorted(found, key=lambda one: one.p_value)


def exchange_alarm(exchanges: Sequence[Exchange], classes: Sequence[str]) -> list[str]:
    """Say in sentences which classes look exchanged.

    Examples:
        >>> print(*exchange_alarm([Exchange(0, 1, 96, 5, 1e-20)], ("lymphocyte", "monocyte")))
        The labels of lymphocyte and monocyte look exchanged: 96 cells are confidently of the
        other class, 5 of the one they are labelled with (p < 0.001). Check the key of the codes.
    """
    return [
        f"The labels of {classes[one.first]} and {classes[one.second]} look exchanged: "
        f"{one.crossed} cells are confidently of the other class, {one.kept} of the one they are "
        f"labelled with (p {'< 0.001' if one.p_value < 0.001 else f'= {one.p_value:.3f}'}). "
        "Check the key of the codes."
        for one in exchanges
    ]


def _checked(labels: ArrayLike, probabilities: ArrayLike) -> tuple[IntArray, FloatArray]:
    scores = np.asarray(probabilities, dtype=np.float64)
    scores = check_probabilities(scores, scores.shape[1] if scores.ndim == 2 else 0)
    given = np.asarray(labels)
    # Refuses what are no positions; the counts themselves are of no use here.
    confusion_matrix(given, given, scores.shape[1])
    if len(given) != len(scores):
        raise ValueError(f"{len(given)} labels but probabilities of {len(scores)} cells")
    return given.astype(np.int64), scores


def _joint(given: IntArray, scores: FloatArray) -> IntArray:
    confident = _confident_classes(given, scores)
    decided = confident != UNDECIDED
    return confusion_matrix(given[decided], confident[decided], scores.shape[1])


def _given_that_one_of(present: IntArray, scores: FloatArray) -> FloatArray:
    """Return probabilities of some classes, given that a cell is of one of them."""
    # Not quite zero: a model may be certain that a cell is of none of them.
    some = np.maximum(scores[:, present], 1e-12)
    conditional: FloatArray = some / some.sum(axis=1, keepdims=True)
    return conditional


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


def _pair_p_value(joint: IntArray, first: int, second: int) -> float:
    """Return the larger of the p-values that a label is not more often crossed than kept."""
    return max(
        _mostly_crossed(int(joint[a, b]), int(joint[a, a]))
        for a, b in ((first, second), (second, first))
    )


def _mostly_crossed(crossed: int, kept: int) -> float:
    if crossed + kept == 0:
        return 1.0
    return float(stats.binomtest(crossed, crossed + kept, 0.5, alternative="greater").pvalue)
