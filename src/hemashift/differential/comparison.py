"""Whether two differential counts differ by more than chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from hemashift.differential.core import Differential, Line
from hemashift.differential.roles import Role
from hemashift.evaluation.comparison import holm


@dataclass(frozen=True)
class ComparedLine:
    """A class in two counts.

    Attributes:
        name: The class.
        first: In the first count.
        second: In the second count.
        p_value: Fisher's exact test, two-sided; NaN where a count has no leucocyte.
        corrected: The same, corrected for the number of classes (Holm 1979).
        within: Whether each value lies within the limits of the other, the rule of Rümke.
    """

    name: str
    first: Line
    second: Line
    p_value: float
    corrected: float
    within: bool


@dataclass(frozen=True)
class Comparison:
    """Two counts side by side.

    Attributes:
        names: What to call them.
        first: The first count.
        second: The second count.
        lines: The classes of either, leucocytes first.
    """

    names: tuple[str, str]
    first: Differential
    second: Differential
    lines: tuple[ComparedLine, ...]


def compare(
    first: Differential, second: Differential, names: tuple[str, str] = ("first", "second")
) -> Comparison:
    """Compare two counts class by class.

    Fisher's test takes the counts as two samples of cells. For two readers of the same cells
    that is cautious: what they share is not used, so a difference that shows is real.

    Args:
        first: A count.
        second: Another; a class that is in one only counts as 0 in the other.
        names: What to call them.

    Raises:
        ValueError: A class is in the two counts something else, such as a leucocyte and outside.

    Examples:
        >>> one = Differential.of({"neutrophil": 60, "lymphocyte": 40})
        >>> two = Differential.of({"neutrophil": 80, "lymphocyte": 20})
        >>> [(line.name, round(line.corrected, 4), line.within) for line in compare(one, two).lines]
        [('neutrophil', 0.0064, False), ('lymphocyte', 0.0064, False)]
    """
    classes = {**first.roles, **second.roles}
    if any(first.roles.get(name, role) is not role for name, role in classes.items()):
        raise ValueError("the two counts do not agree on what their classes are")
    first, second = (_with_all(one, classes) for one in (first, second))
    names_reported = [line.name for line in first.lines]
    p_values = np.array([_p_value(first, second, name) for name in names_reported])
    defined = ~np.isnan(p_values)
    corrected = np.full(len(p_values), np.nan)
    corrected[defined] = holm(p_values[defined])
    lines = []
    for position, name in enumerate(names_reported):
        one, two = first.line(name), second.line(name)
        within = one.low <= two.value <= one.high and two.low <= one.value <= two.high
        lines.append(
            ComparedLine(
                name, one, two, float(p_values[position]), float(corrected[position]), within
            )
        )
    return Comparison(names, first, second, tuple(lines))


def _with_all(one: Differential, classes: dict[str, Role]) -> Differential:
    counts = {name: one.counts.get(name, 0) for name in classes}
    return Differential(counts, classes, one.confidence)


def _p_value(first: Differential, second: Differential, name: str) -> float:
    if first.leucocytes == 0 or second.leucocytes == 0:
        return np.nan
    inside = first.roles[name] is Role.LEUCOCYTE
    rows = [
        (one.counts[name], one.leucocytes - (one.counts[name] if inside else 0))
        for one in (first, second)
    ]
    return float(stats.fisher_exact(np.array(rows)).pvalue)
