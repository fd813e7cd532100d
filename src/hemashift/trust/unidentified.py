"""Unidentified: which cells to leave to a person, so that errors among the others stay rare."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from hemashift.errors import HemashiftError
from hemashift.trust.calibration import Calibration

UNIDENTIFIED = "unidentified"
"""How a cell is called that is left to a person."""

LEVEL = 0.9
"""Share of laboratories, labels drawn at random, in which a promise shall hold."""

_LEAST = 1e-9


@dataclass(frozen=True)
class KeepRule:
    """From which probability on an answer is kept.

    Attributes:
        threshold: The least top probability of a cell that is kept, 0..1.
        max_error: The error that was asked for.
        promised: Whether the labelled cells are enough to promise it at `LEVEL`.
        labels: Number of labelled cells.
    """

    threshold: float
    max_error: float
    promised: bool
    labels: int

    def __str__(self) -> str:
        if self.promised:
            return (
                f"An error of at most {self.max_error:.3g} among the cells that keep a class is "
                f"promised with {LEVEL:.0%} confidence by {self.labels} labelled cells, if they "
                "were drawn at random from the cells that are classified; kept from a probability "
                f"of {self.threshold:.2f}."
            )
        return (
            f"An error of at most {self.max_error:.3g} cannot be promised by {self.labels} "
            f"labelled cells: it takes {cells_needed(self.max_error)} or more, with no mistake "
            f"among the surest. Cells with a probability of {self.threshold:.2f} or more keep "
            "their class, which keeps the error if the probabilities are right."
        )


def keep_rule(calibration: Calibration, max_error: float) -> KeepRule:
    """Find the lowest probability from which the error among the kept cells stays within a rate.

    Labelled cells are kept in the order of their out-of-fold top probability, the surest first, and
    those of equal probability together:
    starting from the fewest cells that could prove the rate, as long as the exact upper limit of
    the error among them (Clopper and Pearson 1934) is within it. The first failure ends the
    search, so that the many looks need no correction (fixed sequence testing, as in Learn then
    Test, Angelopoulos et al. 2021; selective classification, Geifman and El-Yaniv 2017).

    Where nothing can be promised, a cell is kept if its own calibrated probability is
    `1 - max_error` or more, and the rule says so.

    Args:
        calibration: Out-of-fold predictions of the labelled cells. With unequal weights, the
            limit is that of as many equal cells as say the same (Kish 1965), and approximate.
        max_error: Share of the kept cells that may be wrong, above 0 and below 1.

    Raises:
        HemashiftError: `max_error` is not between 0 and 1.

    Examples:
        >>> sure = Calibration.of(np.array([[0.97, 0.03]] * 60), np.zeros(60, int))
        >>> rule = keep_rule(sure, 0.05)
        >>> rule.promised, round(rule.threshold, 2)
        (True, 0.97)
        >>> keep_rule(sure, 0.01).promised
        False
    """
    if not 0 < max_error < 1:
        raise HemashiftError(
            "the largest error must lie between 0 and 1",
            expected="such as 0.05",
            found=str(max_error),
        )
    sure = calibration.probabilities.max(axis=1)
    wrong = calibration.probabilities.argmax(axis=1) != calibration.targets
    order = np.argsort(-sure, kind="stable")
    weights = calibration.weights[order]
    mass = np.cumsum(weights)
    equal = mass**2 / np.cumsum(weights**2)
    errors = np.cumsum(weights * wrong[order]) / mass * equal
    kept = None
    last = np.append(np.diff(sure[order]) != 0, True)
    for place in np.flatnonzero((equal >= cells_needed(max_error) - _LEAST) & last):
        right = max(equal[place] - errors[place], _LEAST)
        limit = betaincinv(errors[place] + 1, right, LEVEL)
        if limit > max_error:
            break
        kept = float(sure[order][place])
    return KeepRule(
        1 - max_error if kept is None else kept, max_error, kept is not None, len(calibration)
    )


def cells_needed(max_error: float) -> int:
    """Return the fewest labelled cells that, all of them right, promise a rate at `LEVEL`.

    Examples:
        >>> cells_needed(0.05), cells_needed(0.1)
        (45, 22)
    """
    return math.ceil(math.log(1 - LEVEL) / math.log(1 - max_error))
