"""Transductive refinement: a probe that is sure of unlabelled cells and keeps their class mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from hemashift.adaptation.choice import Fit
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.refinement import refine
from hemashift.trust.mix import HALF_WAY, estimate_class_mix
from hemashift.trust.softmax import (
    Float,
    Integers,
    fit_softmax,
    minimise_over,
    penalised_cross_entropy,
)

# What the unlabelled cells together count for; the labelled ones together count for 1.
STRENGTHS = (0.0, 0.03, 0.1, 0.3)


@dataclass
class Transductive:
    """The probe, refined by the mutual information of unlabelled cells and their classes.

    In the manner of TIM (Boudiaf et al. 2020, arXiv 2008.11297): to the loss of the probe is added
    the entropy of the class of each unlabelled cell, which draws the boundaries between classes
    to where few cells are, and the divergence of the mix of the classes given from the mix that is
    expected. TIM expects all classes to be equally common; blood is not like that (Veilleux et
    al. 2021, arXiv 2204.11181), so the mix is estimated, see `estimate_class_mix`. How much the
    unlabelled cells count is chosen by cross-validation inside the labels, see `refine`; 0 makes
    it the probe.

    Attributes:
        strengths: What the unlabelled cells together may count for, to choose from.
        chosen: After `fit`, the strength chosen.
    """

    strengths: tuple[float, ...] = STRENGTHS
    name: str = "transductive"
    chosen: float | None = None

    def fit(self, task: Task) -> FittedHead:
        """Choose the strength, then fit to all cells."""
        fitted, self.chosen = refine(task, self.strengths, _with_pool)
        return fitted


def _with_pool(pool: Float, penalty: float, towards: Float) -> Fit:
    def fit(
        inputs: npt.NDArray[np.floating], targets: Integers, n_classes: int, strength: float
    ) -> tuple[Float, Float]:
        weight, bias = fit_softmax(inputs, targets, n_classes, penalty, towards)
        mix = _expected_mix(softmax(pool @ weight.T + bias, axis=1), targets)
        wanted = np.eye(n_classes)[targets]
        vectors = np.asarray(inputs, np.float64)
        labelled = penalised_cross_entropy(vectors, wanted, penalty, towards)

        def loss(matrix: Float) -> tuple[float, Float]:
            value, gradient = labelled(matrix)
            unsure, slope = uncertainty(matrix, pool, mix)
            # Of few unlabelled cells, none counts for more than that part of a labelled one.
            share = strength * min(len(targets), len(pool))
            return value + share * unsure, gradient + share * slope

        return minimise_over(loss, np.column_stack([weight, bias]))

    return fit


def _expected_mix(probabilities: Float, targets: Integers) -> Float:
    """Estimate the class mix; a class without a label counts as half a label."""
    counts = np.bincount(targets, minlength=probabilities.shape[1]) + 0.5
    return estimate_class_mix(probabilities, counts / counts.sum(), HALF_WAY)


def uncertainty(matrix: Float, pool: Float, mix: Float) -> tuple[float, Float]:
    """Return the mean entropy of unlabelled cells plus the divergence of their mix, in nats.

    Args:
        matrix: `(K, R + 1)`, W and then b of a softmax regression.
        pool: `(M, R)` unlabelled cells.
        mix: `(K,)` expected shares, above 0, sum 1.

    Returns:
        Entropy + KL(mean of the probabilities || mix), and its gradient `(K, R + 1)`.
    """
    logs = log_softmax(pool @ matrix[:, :-1].T + matrix[:, -1], axis=1)
    found = np.exp(logs)
    entropies = -(found * logs).sum(axis=1, keepdims=True)
    shares = found.mean(axis=0)
    ratios = np.log(np.maximum(shares, 1e-300) / mix)
    divergence = (shares * ratios).sum()
    # Slope by the logits of each cell; a softmax sees only what differs between classes.
    slope = found * (ratios - found @ ratios[:, None] - logs - entropies) / len(pool)
    gradient = np.column_stack([slope.T @ pool, slope.sum(axis=0)])
    return float(entropies.mean() + divergence), gradient
