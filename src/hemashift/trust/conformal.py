"""Prediction sets: the classes that a cell may be, with a stated share of cells covered."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hemashift.errors import HemashiftError
from hemashift.trust.calibration import Calibration

Float = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

# A class is judged by its own cells and by all cells, which weigh together as much as this many
# times the cells in which one miss is to be expected.
_SHARED = 2.0
_ROUNDING = 1e-9


def least_probabilities(calibration: Calibration, coverage: float) -> Float:
    """Find, for each class, the probability from which it belongs to the set of a cell.

    Split conformal prediction (Vovk et al. 2005) with the score 1 - probability of the true class
    (Sadinle et al. 2019) on out-of-fold predictions, as in cross-conformal prediction (Vovk 2015;
    CV+, Barber et al. 2021). The score's quantile is taken at ceil((n + 1) coverage) of n cells,
    so that the cell to come counts as one that may be missed.

    Classes differ, so the quantile is taken for each (Mondrian); few cells of a class say
    little, so all labelled cells join in. Their weight together is that of `2 / (1 - coverage)`
    cells: 20 at 0.9. A class with many more cells of its own than that is covered by itself, a
    class with few shares the limit of all.

    How far this is a guarantee: with held-out cells, drawn at random, and one limit for all
    classes, coverage would be at least `coverage` on average over draws of the labels. Using each
    labelled cell for both fitting and calibrating leaves `2 coverage - 1` where the models of all
    folds answer (CV+), and no theorem where, as here, one model fitted to all cells does. Since it
    has seen more labels than those of the folds, it rather covers more. Nor is there a theorem for
    limits shared between classes. Labels that were not drawn at random, or images that changed
    since, void all of this. One draw of 30 labels may miss the figure by several percent.
    `benchmarks/trust.py` measures the coverage of held-out cells.

    Args:
        calibration: Out-of-fold predictions of the labelled cells.
        coverage: Share of cells whose set shall hold the true class, above 0 and below 1.

    Returns:
        `(K,)` in 0..1.

    Raises:
        HemashiftError: There are too few labelled cells for this coverage.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> right = rng.uniform(0.5, 1, 99)
        >>> known = Calibration.of(np.stack([right, 1 - right], axis=1), np.zeros(99, int))
        >>> round(float(least_probabilities(known, 0.5)[0]), 1)
        0.8
    """
    check_coverage(len(calibration), coverage)
    targets, weights = calibration.targets, calibration.weights
    scores = 1 - calibration.probabilities[np.arange(len(targets)), targets]
    order = np.argsort(scores, kind="stable")
    scores, targets, weights = scores[order], targets[order], weights[order]
    everyone = weights / weights.sum() * _SHARED / (1 - coverage)
    n_classes = calibration.probabilities.shape[1]
    least = np.zeros(n_classes)
    for number in range(n_classes):
        mass = np.cumsum(everyone + weights * (targets == number))
        # One cell more than there are: the one to come, which may score above all.
        wanted = coverage * (mass[-1] + 1)
        place = int(np.searchsorted(mass, wanted - _ROUNDING))
        least[number] = 1 - scores[place] if place < len(scores) else 0.0
    return least


def check_coverage(count: int, coverage: float) -> None:
    """Refuse a coverage that is no share, or that so many labelled cells cannot give.

    Raises:
        HemashiftError: It is not between 0 and 1, or needs more than `count` cells.
    """
    if not 0 < coverage < 1:
        raise HemashiftError(
            "the coverage must lie between 0 and 1", expected="such as 0.9", found=str(coverage)
        )
    needed = math.ceil(coverage / (1 - coverage) - _ROUNDING)
    if count < needed:
        reached = math.floor(100 * count / (count + 1)) / 100
        raise HemashiftError(
            f"sets with a coverage of {coverage:g} need more labelled cells",
            expected=f"{needed} or more",
            found=str(count),
            hint=f"label more cells, or ask for {reached} or less",
        )


def prediction_sets(probabilities: npt.NDArray[np.floating], least: Float) -> Booleans:
    """Say which classes belong to the set of each cell; the most probable one always does.

    Args:
        probabilities: `(N, K)`.
        least: `(K,)`, from `least_probabilities`.

    Returns:
        `(N, K)`.

    Examples:
        >>> prediction_sets(np.array([[0.7, 0.2, 0.1]]), np.array([0.3, 0.2, 0.2]))
        array([[ True,  True, False]])
    """
    given = np.asarray(probabilities, np.float64)
    inside: Booleans = given >= least - _ROUNDING
    inside[np.arange(len(given)), given.argmax(axis=1)] = True
    return inside
