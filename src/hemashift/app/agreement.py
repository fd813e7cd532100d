"""How far two readers agree: Cohen's kappa with its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from hemashift.app import labelling
from hemashift.app.refusals import ProjectError
from hemashift.evaluation import Interval
from hemashift.evaluation.intervals import clopper_pearson
from hemashift.evaluation.metrics import IntArray, confusion_matrix, encode_labels

if TYPE_CHECKING:
    from hemashift.app.project import Project


@dataclass(frozen=True)
class Agreement:
    """Agreement of two readers on the cells that both have answered.

    Attributes:
        readers: The two.
        n: Cells that both have given a class or called not a cell.
        kappa: Cohen's kappa, with limits; NaN where it is not defined.
        same: Share of cells with the same answer, with exact limits.
        classes: The K answers that occur.
        table: `table[i][j]`: cells that the first called `classes[i]` and the second
            `classes[j]`.
        left_out: Cells that both have seen and one skipped or was unsure of.
    """

    readers: tuple[str, str]
    n: int
    kappa: Interval
    same: Interval
    classes: tuple[str, ...]
    table: tuple[tuple[int, ...], ...]
    left_out: int


def agreement(project: Project, first: str, second: str) -> Agreement:
    """Return how far two readers agree (Cohen 1960).

    Kappa is 1 for full agreement, 0 for what chance would give. Its limits are, as Cohen's, those
    of `same` with the agreement by chance as it was found; exact ones, so that full agreement on a
    few cells is not certain.

    Raises:
        ProjectError: One of them has no answers, or the two are the same.
    """
    both = _both(project, first, second)
    pairs = [(one, two) for one, two in both.values() if one is not None and two is not None]
    classes = tuple(sorted({answer for pair in pairs for answer in pair}))
    one, two = (encode_labels([pair[side] for pair in pairs], classes) for side in (0, 1))
    table = confusion_matrix(one, two, len(classes))
    same = clopper_pearson(int(np.trace(table)), len(pairs))
    return Agreement(
        (first, second),
        len(pairs),
        _kappa(table, same),
        same,
        classes,
        tuple(tuple(row) for row in table.tolist()),
        len(both) - len(pairs),
    )


def disagreements(project: Project, first: str, second: str) -> list[int]:
    """Return the cells that two readers call differently; for showing to both afterwards.

    Raises:
        ProjectError: As `agreement`.
    """
    both = _both(project, first, second)
    return [cell for cell, (one, two) in both.items() if None not in (one, two) and one != two]


def _both(project: Project, first: str, second: str) -> dict[int, tuple[str | None, str | None]]:
    """Return the answers of two readers to the cells that both have seen."""
    if first == second:
        raise ProjectError("a reader agrees with himself", found=first, expected="two readers")
    said = [labelling.verdicts(project, reader) for reader in (first, second)]
    for reader, answers in zip((first, second), said, strict=True):
        if not answers:
            raise ProjectError("this reader has labelled nothing", found=reader)
    return {
        cell: (one.answer, said[1][cell].answer) for cell, one in said[0].items() if cell in said[1]
    }


def _kappa(table: IntArray, same: Interval) -> Interval:
    n = table.sum()
    chance = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2 if n else 1.0
    # One answer alone leaves nothing to agree on by chance: kappa is not defined (0 / 0).
    if chance == 1:
        return Interval(np.nan, np.nan, np.nan)
    estimate, low, high = (
        (share - chance) / (1 - chance) for share in (same.estimate, same.low, same.high)
    )
    kind = "exact limits of the agreement"
    return Interval(estimate, max(low, -1), high, same.confidence, kind)
