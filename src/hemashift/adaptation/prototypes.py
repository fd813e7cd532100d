"""Prototypes: each cell gets the class whose mean is nearest (SimpleShot)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.choice import choose
from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.probe import OUTPUTS, fitted_head, standardised
from hemashift.model.heads import Output
from hemashift.trust.softmax import Float, Integers

# How fast the probability falls with the squared distance, for inputs of mean square 1.
SHARPNESS = (0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass
class Prototypes:
    """Nearest class mean of frozen features (Wang et al. 2019, SimpleShot, arXiv 1911.04623).

    Each vector is brought to length 1 and centred by the laboratory's images, as for `Probe`. The
    probabilities are the softmax of the negative squared distances to the means of the classes,
    times a number that is chosen by 5-fold cross-validation inside the labels. How common a class
    is among the labels plays no part, so that rare classes are given more often than by `Probe`.

    SimpleShot centres first and then brings to length 1. Here it is the other way round, which
    keeps the result a linear head; centred vectors are of nearly equal length.

    Attributes:
        outputs: Outputs of the encoder to choose from.
        sharpness: How fast probability falls with squared distance; values to choose from.
        chosen: After `fit`, the output and the sharpness chosen.
    """

    outputs: tuple[Output, ...] = OUTPUTS
    sharpness: tuple[float, ...] = SHARPNESS
    name: str = "prototypes"
    chosen: tuple[Output, float] | None = None

    def fit(self, task: Task) -> FittedHead:
        """Choose output and sharpness, then take the means of all labelled cells."""
        key = ("prototypes", self.outputs, self.sharpness)
        fitted, self.chosen = task.once(key, lambda: self._fit(task))
        return fitted

    def _fit(self, task: Task) -> tuple[FittedHead, tuple[Output, float]]:
        scaled = {output: standardised(task, output) for output in self.outputs}
        inputs = {output: found for output, (found, *_) in scaled.items()}
        nearest = dict.fromkeys(inputs, nearest_mean)
        output, sharpness = choose(task, inputs, self.sharpness, nearest)
        found, mean, scale = scaled[output]
        weight, bias = nearest_mean(found, task.targets, len(task.classes), sharpness)
        return fitted_head(task, output, weight, bias, mean, scale), (output, sharpness)


def nearest_mean(
    inputs: npt.NDArray[np.floating], targets: Integers, n_classes: int, sharpness: float
) -> tuple[Float, Float]:
    """Return the linear classifier whose logits are -sharpness * distance^2 to the means.

    |x - m|^2 = |x|^2 - 2 m.x + |m|^2, and |x|^2 is the same for all classes.

    A class without a cell has no mean. Its logit is the mean of those of the other classes, less
    log 2N, so that its probability is below 1 / 2N wherever a cell lies.

    Args:
        inputs: `(N, D)`, at least one.
        targets: `(N,)` class index, 0 to K-1.
        n_classes: K.
        sharpness: How fast probability falls with squared distance, above 0.

    Returns:
        W `(K, D)` and b `(K,)`.

    Examples:
        >>> inputs = np.array([[-1.0], [-3.0], [4.0]])
        >>> weight, bias = nearest_mean(inputs, np.array([0, 0, 1]), 2, sharpness=1.0)
        >>> weight.ravel().tolist(), bias.tolist()
        ([-4.0, 8.0], [-4.0, -16.0])
    """
    counts = np.bincount(targets, minlength=n_classes)
    known = counts > 0
    sums = np.eye(n_classes)[targets].T @ np.asarray(inputs, np.float64)
    means = sums / np.maximum(counts, 1)[:, None]
    weight = 2 * sharpness * means
    bias = -sharpness * (means**2).sum(axis=1)
    weight[~known] = weight[known].mean(axis=0)
    bias[~known] = bias[known].mean() - np.log(2 * len(targets))
    return weight, bias
