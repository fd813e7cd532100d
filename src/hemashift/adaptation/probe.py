"""Probe: regularised softmax regression on the frozen encoder's output."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.folds import folds
from hemashift.adaptation.softmax import Float, fit_softmax, span
from hemashift.model.heads import LinearHead, Output

Vectors = npt.NDArray[np.float32]

OUTPUTS: tuple[Output, ...] = ("features", "embedding", "both")
# Strength of the prior for inputs of mean square 1: from many free directions to few.
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
_FOLDS = 5
_LEAST_SCALE = 1e-6


@dataclass
class Probe:
    """Logistic regression on frozen features, also called a linear probe.

    Each vector is brought to length 1 and standardised by what the laboratory's images have in
    common, labelled or not, so that a shift shared by all its cells cancels out. Which output of
    the encoder is read, and how strongly the regression is regularised, is chosen by 5-fold
    cross-validation inside the labels.

    Attributes:
        outputs: Outputs of the encoder to choose from.
        penalties: Strengths to choose from.
        chosen: After `fit`, the output and the strength chosen.
    """

    outputs: tuple[Output, ...] = OUTPUTS
    penalties: tuple[float, ...] = PENALTIES
    name: str = "probe"
    chosen: tuple[Output, float] | None = None

    def fit(self, task: Task) -> FittedHead:
        """Choose output and strength, then fit on all labelled cells."""
        scaled = {output: standardised(task, output) for output in self.outputs}
        spans = {output: span(inputs) for output, (inputs, *_) in scaled.items()}
        self.chosen = self._choose(task, {output: found for output, (found, _) in spans.items()})
        output, penalty = self.chosen
        _, mean, scale = scaled[output]
        coordinates, basis = spans[output]
        weight, bias = fit_softmax(coordinates, task.targets, len(task.classes), penalty)
        head = LinearHead(
            task.classes,
            (weight @ basis).astype(np.float32),
            bias.astype(np.float32),
            mean,
            scale,
            on=output,
            l2=True,
        )
        return FittedHead(task.model, head)

    def _choose(self, task: Task, inputs: dict[Output, Float]) -> tuple[Output, float]:
        """Return the choice with the best cross-validated log probability of the truth."""
        choices = list(product(self.outputs, self.penalties))
        parts = folds(task.targets, task.groups, _FOLDS, task.seed)
        if len(choices) == 1 or len(parts) < 2:
            return choices[len(choices) // 2]

        def score(choice: tuple[Output, float]) -> float:
            output, penalty = choice
            found = inputs[output]
            total = 0.0
            for fit_rows, held_rows in parts:
                targets = task.targets[fit_rows]
                weight, bias = fit_softmax(found[fit_rows], targets, len(task.classes), penalty)
                logs = log_softmax(found[held_rows] @ weight.T + bias, axis=1)
                total += float(logs[np.arange(len(held_rows)), task.targets[held_rows]].sum())
            return total

        return max(choices, key=score)


def standardised(task: Task, output: Output) -> tuple[Vectors, Vectors, Vectors]:
    """Return the labelled cells' vectors with a mean square length of 1, and how to get there.

    Mean and deviation are taken over labelled and unlabelled cells together.

    Returns:
        Inputs `(N, D)`, mean `(D,)` and scale `(D,)`: inputs = (vector - mean) / scale.
    """
    own = task.cells.encoded.vectors(output, l2=True)
    everything = np.vstack([own, task.pool.vectors(output, l2=True)])
    mean = everything.mean(axis=0)
    scale = np.maximum(everything.std(axis=0), _LEAST_SCALE) * np.sqrt(own.shape[1])
    return (own - mean) / scale, mean, scale
