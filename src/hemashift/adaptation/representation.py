"""How many of a laboratory's cells each labelled cell stands for, and what that says of all."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import Float, Task
from hemashift.adaptation.probe import standardised
from hemashift.evaluation.intervals import Interval, weighted_proportion
from hemashift.model.heads import unit


def representation(task: Task) -> npt.NDArray[np.float64]:
    """Return how many cells each labelled cell stands for: itself, and those most like it.

    Each unlabelled cell is counted for the labelled one whose features point in the most similar
    direction from the middle of the laboratory. Cells that were chosen to be labelled because they
    are rare or doubtful stand for few.

    Args:
        task: Labelled and unlabelled cells.

    Returns:
        `(N,)`, 1 or more; all 1 where there is no unlabelled cell.
    """
    own, mean, scale = standardised(task, "features")
    pool = (task.pool.vectors("features", l2=True) - mean) / scale
    nearest = (unit(pool) @ unit(own).T).argmax(axis=1)
    return np.bincount(nearest, minlength=len(task)) + np.ones(len(task))


def expected_accuracy(predicted: Float, task: Task) -> Interval:
    """Return the accuracy to expect on all cells of the laboratory.

    The share of the labelled cells that are recognised is that of other cells only if the labels
    were drawn at random. Weighed by how many cells each of them stands for, it is nearer
    (`docs/benchmarks.md`, "The promise of cross-validation").

    Args:
        predicted: `(N, K)` out-of-fold predictions, from models that did not learn the cell.
        task: Labelled and unlabelled cells.
    """
    right = predicted.argmax(axis=1) == task.targets
    return weighted_proportion(right, representation(task), task.groups)
