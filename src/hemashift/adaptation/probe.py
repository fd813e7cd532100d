"""Probe: regularised softmax regression on the frozen encoder's output."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.choice import Fit, choose
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.prior import prior_weights
from hemashift.model.heads import LinearHead, Output
from hemashift.trust.softmax import Float, fit_softmax, span

Vectors = npt.NDArray[np.float32]

# The embedding is measured 2 to 7 points worse in new laboratories (benchmarks/targets.py), and
# with few labels a choice between outputs by cross-validation costs more than it brings.
OUTPUTS: tuple[Output, ...] = ("features",)
# Strength of the prior for inputs of mean square 1: from many free directions to few.
PENALTIES = (0.003, 0.01, 0.03, 0.1, 0.3)
_LEAST_SCALE = 1e-6


@dataclass
class Probe:
    """Logistic regression on frozen features, also called a linear probe.

    Each vector is brought to length 1 and centred by what the laboratory's images have in common,
    labelled or not, so that a shift shared by all its cells cancels out. The weights are held close
    to those of a probe of the source (`prior_weights`), which helps most with few labels. Which
    output of the encoder is read, and how strongly the weights are held, is chosen by 5-fold
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
        key = ("probe", self.outputs, self.penalties)
        fitted, self.chosen = task.once(key, lambda: self._fit(task))
        return fitted

    def _fit(self, task: Task) -> tuple[FittedHead, tuple[Output, float]]:
        scaled = {output: standardised(task, output) for output in self.outputs}
        spans = {output: span(inputs) for output, (inputs, *_) in scaled.items()}
        coordinates = {output: found for output, (found, _) in spans.items()}
        priors = {output: prior_weights(task, output) for output in self.outputs}
        fits: dict[Output, Fit] = {
            output: partial(fit_softmax, towards=priors[output] @ basis.T)
            for output, (_, basis) in spans.items()
        }
        output, penalty = choose(task, coordinates, self.penalties, fits)
        _, mean, scale = scaled[output]
        found, basis = spans[output]
        weight, bias = fits[output](found, task.targets, len(task.classes), penalty)
        weight = widened(weight, basis, priors[output])
        return fitted_head(task, output, weight, bias, mean, scale), (output, penalty)


def standardised(task: Task, output: Output) -> tuple[Vectors, Vectors, Vectors]:
    """Return the labelled cells' vectors with a mean square length of 1, and how to get there.

    Mean and length are taken over labelled and unlabelled cells together. All numbers of a vector
    are scaled alike: those that vary little among the cells of one laboratory say little.

    Returns:
        Inputs `(N, D)`, mean `(D,)` and scale `(D,)`: inputs = (vector - mean) / scale.
    """
    return task.once(("standardised", output), lambda: _standardised(task, output))


def _standardised(task: Task, output: Output) -> tuple[Vectors, Vectors, Vectors]:
    own = task.cells.encoded.vectors(output, l2=True)
    everything = np.vstack([own, task.pool.vectors(output, l2=True)])
    mean = everything.mean(axis=0)
    length = np.sqrt(((everything - mean) ** 2).sum(axis=1).mean())
    scale = np.full_like(mean, max(length, _LEAST_SCALE))
    return (own - mean) / scale, mean, scale


def widened(weight: Float, basis: Float, prior: Float) -> Float:
    """Return weights of inputs for weights of their coordinates in a basis.

    Where the basis does not reach, no label speaks against the prior.

    Args:
        weight: `(K, R)`, of coordinates.
        basis: `(R, D)`, see `span`.
        prior: `(K, D)`, of inputs.

    Returns:
        `(K, D)`.
    """
    return prior + (weight - prior @ basis.T) @ basis


def fitted_head(
    task: Task, output: Output, weight: Float, bias: Float, mean: Vectors, scale: Vectors
) -> FittedHead:
    """Put W `(K, D)` and b `(K,)` of `standardised` vectors together as the model's new head."""
    head = LinearHead(
        task.classes,
        weight.astype(np.float32),
        bias.astype(np.float32),
        mean,
        scale,
        on=output,
        l2=True,
    )
    return FittedHead(task.model, head)
