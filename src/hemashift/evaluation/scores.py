"""Every score of a confusion matrix with its confidence limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from hemashift.evaluation.bootstrap import bootstrap_confusions, bootstrap_grouped_confusions
from hemashift.evaluation.exact import CLASS_SCORE_OF, Exact
from hemashift.evaluation.intervals import Interval
from hemashift.evaluation.metrics import PER_CLASS, confusion_matrix


@dataclass(frozen=True)
class ClassScores:
    """How one class was recognised.

    Attributes:
        name: The class.
        support: Cells that truly belong to it.
        predicted: Cells that were called so.
        precision: With limits; see `hemashift.evaluation.metrics` for missing classes.
        recall: With limits.
        f1: With limits.
        average_precision: Area under its precision-recall curve; NaN if it does not occur.
        roc_auc: Area under its ROC curve; NaN if it, or everything else, does not occur.
    """

    name: str
    support: int
    predicted: int
    precision: Interval
    recall: Interval
    f1: Interval
    average_precision: float
    roc_auc: float


def score_intervals(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    n_classes: int,
    *,
    groups: Sequence[str] | None = None,
    draws: int = 2000,
    seed: int = 0,
    confidence: float = 0.95,
) -> tuple[dict[str, Interval], list[dict[str, Interval]]]:
    """Return the overall scores and those of each class, with limits.

    Limits of accuracy and of each class are exact (Clopper-Pearson); with groups, those of
    `weighted_proportion`. Those of macro scores are put together from the limits of the classes;
    how the classes move together is read off bootstrap draws, see `Exact.macro`.

    Args:
        y_true: Shape (N,), positions of the true classes.
        y_pred: Shape (N,), positions of the predicted classes.
        n_classes: K.
        groups: N names; when given, cells of one group are not taken for independent.
        draws: Number of bootstrap draws.
        seed: Seed of the draws.
        confidence: Nominal coverage, in 0..1.

    Returns:
        The scores of `OVERALL` by name, and K times the scores of `PER_CLASS` by name.

    Examples:
        >>> overall, by_class = score_intervals([0] * 50 + [1] * 50, [0] * 60 + [1] * 40, 2)
        >>> print(overall["accuracy"], "|", by_class[1]["precision"])
        0.900 (0.824 to 0.951) | 1.000 (0.912 to 1.000)
    """
    confusion = confusion_matrix(y_true, y_pred, n_classes)
    if groups is None:
        drawn = bootstrap_confusions(confusion, draws=draws, seed=seed)
    else:
        drawn = bootstrap_grouped_confusions(
            y_true, y_pred, groups, n_classes, draws=draws, seed=seed
        )
    exact = Exact(np.asarray(y_true), np.asarray(y_pred), groups, confidence)
    by_class = [{name: exact.of_class(name, k) for name in PER_CLASS} for k in range(n_classes)]
    overall = {"accuracy": exact.accuracy()}
    for name, kind in CLASS_SCORE_OF.items():
        samples = PER_CLASS[kind](drawn)
        if kind == "precision":
            # A draw in which nothing was called so says nothing about those that are.
            samples = np.where(drawn.sum(axis=1) > 0, samples, np.nan)
        overall[name] = exact.macro(name, samples)
    return overall, by_class
