"""Exchanged classes: two classes of which each bears the name of the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

from hemashift.audit.findings import Finding
from hemashift.evaluation.comparison import holm
from hemashift.selection.contract import Float, Rows

# A pair below the first level is an error, below the second a warning.
_SURE, _LIKELY = 0.01, 0.05
# Of fewer cells nothing can be said.
_LEAST = 3


@dataclass(frozen=True)
class Exchange:
    """Two classes whose labels look exchanged.

    Attributes:
        first: Position of the one class.
        second: Position of the other.
        crossed: Number of their cells that look more like the other class.
        straight: Number of those that look more like the class they are labelled with.
        p_value: Chance of such an order of the cells if the labels had nothing to do with the
            model's opinion, corrected for the number of pairs.
    """

    first: int
    second: int
    crossed: int
    straight: int
    p_value: float


def find_exchanges(targets: Rows, source: Float, level: float = _LIKELY) -> list[Exchange]:
    """Find pairs of classes whose labels look exchanged, as in a key of codes misread.

    Every cell of a pair is placed by how much more a model that knows none of these labels takes
    it for the first class than for the second (log odds). If the labels are right, cells of the
    first class stand higher. They are exchanged if they stand lower than chance allows
    (Mann-Whitney rank test, one-sided, exact for few cells; Holm's correction for the number of
    pairs), and if most of their cells look more like the other class. "More" is measured from
    what the model says of these cells on average, and ranks have no zero at all: models often
    give a class too rarely on images of another laboratory.

    Args:
        targets: `(N,)` class index of each label.
        source: `(N, K)` probabilities of a model that has learnt from none of these labels.
        level: Highest corrected p-value.

    Returns:
        The pairs, the surest first.

    Examples:
        >>> labels = np.array([0] * 9 + [1] * 9)
        >>> model = np.array([[0.2, 0.8]] * 9 + [[0.7, 0.3]] * 9, np.float32)
        >>> [(one.first, one.second) for one in find_exchanges(labels, model)]
        [(0, 1)]
        >>> find_exchanges(1 - labels, model)
        []
    """
    counts = np.bincount(targets, minlength=source.shape[1])
    # What the model does not know it cannot judge.
    known = source.max(axis=0, initial=0) > 0
    pairs = list(combinations(np.flatnonzero((counts >= _LEAST) & known).tolist(), 2))
    if not pairs:
        return []
    logs = np.log(np.maximum(source.astype(np.float64), 1e-6))
    found = []
    p_values = holm([_lower(logs, targets, first, second) for first, second in pairs])
    for (first, second), p_value in zip(pairs, p_values, strict=True):
        crossed, straight = _sides(source, targets, first, second)
        if p_value <= level and crossed > straight:
            found.append(Exchange(first, second, crossed, straight, float(p_value)))
    return sorted(found, key=lambda one: one.p_value)


def exchange_findings(
    targets: Rows, source: Float, classes: tuple[str, ...], names: tuple[str, ...]
) -> list[Finding]:
    """Say which classes look exchanged, and show the cells that speak most for it.

    Args:
        targets: `(N,)` class index of each label.
        source: `(N, K)` probabilities of the source model.
        classes: K names.
        names: N paths.
    """
    findings = []
    for one in find_exchanges(targets, source):
        first, second = classes[one.first], classes[one.second]
        rows = np.flatnonzero(np.isin(targets, (one.first, one.second)))
        other = np.where(targets[rows] == one.first, one.second, one.first)
        order = np.argsort(-source[rows, other], kind="stable")
        findings.append(
            Finding(
                "exchanged classes",
                "error" if one.p_value <= _SURE else "warning",
                exchange_sentence(first, second, one.crossed, one.straight, one.p_value),
                f"Look at the cells below. If they are {second} where the label says {first}, the "
                "key of the codes was misread: exchange the two names in the label file.",
                tuple(names[row] for row in rows[order]),
                tuple(
                    f"labelled {classes[targets[row]]}, looks {opinion_of(source[row], classes)}"
                    for row in rows[order]
                ),
            )
        )
    return findings


def exchange_sentence(first: str, second: str, crossed: int, straight: int, p_value: float) -> str:
    """Say which two classes look exchanged, and what speaks for it; see `Exchange`.

    Examples:
        >>> print(exchange_sentence("lymphocyte", "monocyte", 79, 15, 2e-11))
        The labels of lymphocyte and monocyte look exchanged: of their 94 cells, 79 look more like
        the other class to a model that knows none of the labels, and 15 like the class they are
        labelled with (rank test, p = 2e-11).
    """
    return (
        f"The labels of {first} and {second} look exchanged: of their {crossed + straight} cells, "
        f"{crossed} look more like the other class to a model that knows none of the labels, and "
        f"{straight} like the class they are labelled with (rank test, p = {p_value:.1g})."
    )


def opinion_of(probabilities: npt.NDArray[np.floating], classes: tuple[str, ...]) -> str:
    """Say what a model takes a cell for, and how surely.

    Examples:
        >>> opinion_of(np.array([0.2, 0.8]), ("lymphocyte", "monocyte"))
        'monocyte (80%)'
    """
    best = int(probabilities.argmax())
    return f"{classes[best]} ({probabilities[best]:.0%})"


def _lower(logs: npt.NDArray[np.float64], targets: Rows, first: int, second: int) -> float:
    """Return the p-value that cells of the first class stand lower than those of the second."""
    odds = logs[:, first] - logs[:, second]
    one, other = odds[targets == first], odds[targets == second]
    return float(mannwhitneyu(one, other, alternative="less").pvalue)


def _sides(source: Float, targets: Rows, first: int, second: int) -> tuple[int, int]:
    """Return how many cells lean to the other class and how many to their own."""
    rows = np.isin(targets, (first, second))
    usual = source[rows].mean(axis=0, dtype=np.float64)
    leans = source[rows, first] * usual[second] > source[rows, second] * usual[first]
    straight = int((leans == (targets[rows] == first)).sum())
    return len(leans) - straight, straight
