"""Choosing an output of the encoder and a strength by cross-validation inside the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Protocol

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from hemashift.adaptation.contract import Task
from hemashift.adaptation.folds import Fold, folds
from hemashift.model.heads import Output
from hemashift.trust.softmax import Float, Integers

FOLDS = 5


class Fit(Protocol):
    """A linear classifier with one number that decides how far it trusts its labels."""

    def __call__(
        self,
        inputs: npt.NDArray[np.floating],
        targets: Integers,
        n_classes: int,
        strength: float,
        /,
    ) -> tuple[Float, Float]:
        """Return W `(K, D)` and b `(K,)` for inputs `(N, D)` and class indices `(N,)`."""
        ...


def choose(
    task: Task,
    inputs: Mapping[Output, npt.NDArray[np.floating]],
    strengths: Sequence[float],
    fits: Mapping[Output, Fit],
) -> tuple[Output, float]:
    """Return the choice with the best cross-validated log probability of the truth.

    Args:
        task: The labelled cells; groups are never divided between folds.
        inputs: `(N, D)` vectors of the labelled cells, for each output to choose from.
        strengths: Strengths to choose from; of equals the first is taken.
        fits: What is fitted to each fold of the vectors of an output.

    Returns:
        Output and strength; those in the middle where all cells are of one group, so that there
        is nothing to choose by.
    """
    choices: list[tuple[Output, float]] = list(product(inputs, strengths))
    parts = folds(task.targets, task.groups, FOLDS, task.seed)
    if len(choices) == 1 or len(parts) < 2:
        return choices[len(choices) // 2]

    def score(choice: tuple[Output, float]) -> float:
        output, strength = choice
        logits = held_out_logits(task, parts, inputs[output], strength, fits[output])
        logs = log_softmax(logits, axis=1)[np.arange(len(task)), task.targets]
        return sum(float(logs[held_rows].sum()) for _, held_rows in parts)

    return max(choices, key=score)


def held_out_logits(
    task: Task,
    parts: Sequence[Fold],
    inputs: npt.NDArray[np.floating],
    strength: float,
    fit: Fit,
) -> Float:
    """Return `(N, K)` logits of each labelled cell by a fit to the other folds.

    Args:
        task: The labelled cells.
        parts: Its `folds`, at least two.
        inputs: `(N, D)` vectors of the labelled cells.
        strength: Handed to `fit`.
        fit: What is fitted to each fold.
    """
    logits = np.zeros((len(task), len(task.classes)))
    for fit_rows, held_rows in parts:
        targets = task.targets[fit_rows]
        weight, bias = fit(inputs[fit_rows], targets, len(task.classes), strength)
        logits[held_rows] = inputs[held_rows] @ weight.T + bias
    return logits
