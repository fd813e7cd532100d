"""How far two readers agree: Cohen's kappa with its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sklearn.metrics import cohen_kappa_score

from hemashift.app import labelling
from hemashift.app.refusals import ProjectError
from hemashift.evaluation import Interval
from hemashift.evaluation.bootstrap import bootstrap_confusions
from hemashift.evaluation.intervals import clopper_pearson, percentile_interval
from hemashift.evaluation.metrics import FloatArray, IntArray, confusion_matrix, encode_labels

if TYPE_CHECKING:
    from hemashift.app.project import Project

_DRAWS = 2000


@dataclass(frozen=True)
class Agreement:
    """Agreement of two readers on the cells that both have answered.

    Attributes:
        readers: The two.
        n: Cells that both have given a class or called not a cell.
        kappa: Cohen's kappa, with bootstrap limits; NaN where it is not defined.
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

    Kappa is 1 for full agreement, 0 for what chance would give. Its limits come from drawing
    cells (bootstrap, 2,000 draws). Where all answers are the same they have no width and kappa
    says little; the exact limits of `same` hold then too.

    Raises:
        ProjectError: One of them has no answers, or the two are the same.
    """
    both = _both(project, first, second)
    pairs = [(one, two) for one, two in both.values() if one is not None and two is not None]
    classes = tuple(sorted({answer for pair in pairs for answer in pair}))
    one, two = (encode_labels([pair[side] for pair in pairs], classes) for side in (0, 1))
    table = confusion_matrix(one, two, len(classes))
    return Agreement(
        (first, second),
        len(pairs),
        _kappa(one, two, table),
        clopper_pearson(int(np.trace(table)), len(pairs)),
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


def _kappa(one: IntArray, two: IntArray, table: IntArray) -> Interval:
    if table.sum() == 0:
        return Interval(np.nan, np.nan, np.nan)
    drawn = bootstrap_confusions(table, draws=_DRAWS).astype(np.float64)
    # One answer alone leaves nothing to agree on by chance: kappa is not defined (0 / 0).
    with np.errstate(invalid="ignore", divide="ignore"):
        samples = _kappas(drawn)
        defined = not np.isnan(_kappas(table[None].astype(np.float64))[0])
    estimate = float(cohen_kappa_score(one, two)) if defined else np.nan
    return percentile_interval(estimate, samples)


def _kappas(tables: FloatArray) -> FloatArray:
    """Return Cohen's kappa of tables (draws, K, K)."""
    n = tables.sum(axis=(1, 2))
    seen = np.trace(tables, axis1=1, axis2=2) / n
    chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / n**2
    kappas: FloatArray = (seen - chance) / (1 - chance)
    return kappas
