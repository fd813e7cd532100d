"""Auto: of all methods at hand, the one that cross-validation inside the labels prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hemashift.adaptation.contract import Fitted, Float, Method, Task, Unadapted
from hemashift.adaptation.folds import folds
from hemashift.adaptation.head import HeadOnly
from hemashift.adaptation.probe import Probe


def out_of_fold(method: Method, task: Task, count: int = 5) -> Float:
    """Predict each labelled cell by a model adapted without it and without its group.

    Everything that the method chooses is chosen again inside each fold, so the result is not
    flattered by the choice.

    Args:
        method: The method.
        task: The labelled cells.
        count: Number of folds.

    Returns:
        `(N, K)` class probabilities.
    """
    found = np.zeros((len(task), len(task.classes)), np.float32)
    for fit_rows, held_rows in folds(task.targets, task.groups, count, task.seed + 1):
        if not len(fit_rows):
            found[held_rows] = Unadapted().fit(task).probabilities(task.cells[held_rows])
            continue
        found[held_rows] = method.fit(task[fit_rows]).probabilities(task.cells[held_rows])
    return found


def goodness(probabilities: Float, task: Task) -> float:
    """Score out-of-fold probabilities: accuracy, and the log probability of the truth to decide.

    Accuracy alone moves in steps of one cell; a tenth of the mean log probability (at least 1 %
    is granted to every class) tells equals apart.
    """
    chosen = probabilities[np.arange(len(task)), task.targets]
    right = probabilities.argmax(axis=1) == task.targets
    return float(right.mean() + 0.1 * np.log(np.maximum(chosen, 0.01)).mean())


@dataclass
class Auto:
    """Adapt by each candidate, keep the one with the best out-of-fold predictions.

    Attributes:
        candidates: The methods to choose from.
        chosen: After `fit`, the name of the method chosen.
    """

    candidates: Sequence[Method] = field(default_factory=lambda: (Probe(), HeadOnly()))
    name: str = "auto"
    chosen: str = ""

    def fit(self, task: Task) -> Fitted:
        """Choose, then adapt to all labelled cells."""
        scores = [goodness(out_of_fold(method, task, 3), task) for method in self.candidates]
        best = self.candidates[int(np.argmax(scores))]
        self.chosen = best.name
        return best.fit(task)
