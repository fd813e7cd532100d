"""Auto: of all methods at hand, the one that cross-validation inside the labels prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Fitted, Float, Method, Task, Unadapted
from hemashift.adaptation.folds import folds
from hemashift.adaptation.probe import Probe
from hemashift.adaptation.prototypes import Prototypes
from hemashift.progress import Progress

# Standard errors by which a method must lead. With one, another method than the first was taken in
# 5 of the 40 draws of `benchmarks/targets.py`, by chance: they lost 5 points on average.
_CLEARLY = 2.0


def out_of_fold(
    method: Method, task: Task, count: int = 5, progress: Progress | None = None
) -> Float:
    """Predict each labelled cell by a model adapted without it and without its group.

    Everything that the method chooses is chosen again inside each fold, so the result is not
    flattered by the choice.

    Args:
        method: The method.
        task: The labelled cells.
        count: Number of folds.
        progress: Called with the number of folds done and their total.

    Returns:
        `(N, K)` class probabilities.
    """
    return _out_of_fold((method,), task, count, progress)[0]


def _out_of_fold(
    methods: Sequence[Method], task: Task, count: int, progress: Progress | None = None
) -> list[Float]:
    """Return what `out_of_fold` does for each method, all given the very same folds."""
    found = [np.zeros((len(task), len(task.classes)), np.float32) for _ in methods]
    parts = folds(task.targets, task.groups, count, task.seed + 1)
    for done, (fit_rows, held_rows) in enumerate(parts, 1):
        held = task.cells[held_rows]
        part = task[fit_rows]
        for method, predicted in zip(methods, found, strict=True):
            fitted = method.fit(part) if len(part) else Unadapted().fit(task)
            predicted[held_rows] = fitted.probabilities(held)
        if progress is not None:
            progress(done, len(parts))
    return found


def goodness(probabilities: Float, task: Task) -> npt.NDArray[np.float64]:
    """Score each out-of-fold prediction: 1 if right, and the log probability of the truth.

    Right or wrong alone moves in steps of one cell; a tenth of the log probability (at least 1 %
    is granted to every class) tells equals apart.

    Returns:
        `(N,)`, higher is better.
    """
    chosen = probabilities[np.arange(len(task)), task.targets]
    right = probabilities.argmax(axis=1) == task.targets
    score: npt.NDArray[np.float64] = right + 0.1 * np.log(np.maximum(chosen, 0.01))
    return score


@dataclass
class Auto:
    """Adapt by the method that cross-validation inside the labels prefers.

    The first candidate is the one to expect most of (`docs/leave-one-out.md`). Another takes its
    place only if its out-of-fold predictions are better by more than twice the standard error of
    the difference on the same cells (a group counts as one): a smaller lead is luck.

    Attributes:
        candidates: The methods to choose from, the one to expect most of first.
        chosen: After `fit`, the name of the method chosen.
    """

    candidates: Sequence[Method] = field(default_factory=lambda: (Blend(), Probe(), Prototypes()))
    name: str = "auto"
    chosen: str = ""

    def fit(self, task: Task) -> Fitted:
        """Choose, then adapt to all labelled cells."""
        found = _out_of_fold(self.candidates, task, 3)
        scored = zip(self.candidates, (goodness(one, task) for one in found), strict=True)
        best, best_scores = next(scored)
        for method, scores in scored:
            if _clearly_better(scores, best_scores, task.groups):
                best, best_scores = method, scores
        self.chosen = best.name
        return best.fit(task)


def _clearly_better(
    scores: npt.NDArray[np.float64], than: npt.NDArray[np.float64], groups: npt.NDArray[np.str_]
) -> bool:
    """Tell whether scores are better by more than chance; copies and kin count as one cell."""
    _, member = np.unique(groups, return_inverse=True)
    lead = np.bincount(member, scores - than) / np.bincount(member)
    if len(lead) < 2:
        return False
    return bool(lead.mean() > _CLEARLY * lead.std(ddof=1) / np.sqrt(len(lead)))
