"""What the methods share that refine the probe by the laboratory's unlabelled cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.choice import Fit, choose
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.prior import prior_weights
from hemashift.adaptation.probe import Probe, fitted_head, standardised, widened
from hemashift.trust.softmax import Float, Integers, fit_softmax, span

# From unlabelled cells `(M, R)`, and strength and mean `(K, R)` of the prior on the weights, to a
# fit that uses them.
WithPool = Callable[[Float, float, Float], Fit]


def refine(task: Task, strengths: Sequence[float], with_pool: WithPool) -> tuple[FittedHead, float]:
    """Fit the probe, then fit again from labelled and unlabelled cells together.

    Which output of the encoder is read and how strongly weights are held back is what the probe
    chose. How much the unlabelled cells count is chosen by 5-fold cross-validation inside the
    labels. At strength 0, and without any unlabelled cell, the result is the probe.

    Args:
        task: Labelled and unlabelled cells.
        strengths: How much unlabelled cells may count; of equals the first is taken.
        with_pool: Makes the fit, given the unlabelled cells in the basis that the labelled ones
            are in, and strength and mean of the prior on the weights.

    Returns:
        The adapted model, and the strength chosen.
    """
    probe = Probe()
    fitted = probe.fit(task)
    if probe.chosen is None or not len(task.pool) or len(np.unique(task.groups)) < 2:
        return fitted, 0.0
    output, penalty = probe.chosen
    inputs, mean, scale = standardised(task, output)
    pool = (task.pool.vectors(output, l2=True) - mean) / scale
    coordinates, basis = span(np.vstack([inputs, pool]))
    own = coordinates[: len(task)]
    prior = prior_weights(task, output)
    towards = prior @ basis.T
    refined = with_pool(coordinates[len(task) :], penalty, towards)

    def fit(
        inputs: npt.NDArray[np.floating], targets: Integers, n_classes: int, strength: float
    ) -> tuple[Float, Float]:
        if strength == 0:
            return fit_softmax(inputs, targets, n_classes, penalty, towards)
        return refined(inputs, targets, n_classes, strength)

    _, strength = choose(task, {output: own}, strengths, {output: fit})
    if strength == 0:
        return fitted, 0.0
    weight, bias = fit(own, task.targets, len(task.classes), strength)
    weight = widened(weight, basis, prior)
    return fitted_head(task, output, weight, bias, mean, scale), strength
