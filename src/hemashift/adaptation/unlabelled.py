"""Without a label: classes among the cells of a laboratory, from where the model takes them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from hemashift.adaptation.contract import FittedHead, Float, Task
from hemashift.adaptation.mixture import fit_mixture
from hemashift.adaptation.probe import fitted_head, standardised
from hemashift.trust.mix import HALF_WAY, estimate_class_mix
from hemashift.trust.mix import Float as Wide
from hemashift.trust.storage import read_trust

UNLABELLED = "unlabelled"
# With 20 images it is worse than the source, with 50 better (docs/trials-adaptation.md, "Without
# labels").
LEAST = 50
SHARPNESS = 4.0
# Of 0.1, 0.25, 0.5 and 1 times the means' power for the mixture, all are better than none; this one
# leaves the probabilities as little too sure as the means do (docs/trials-adaptation.md).
VOICES = (0.5, 0.1)
# Nothing is divided by 0 where the model gives a class to no cell.
_LEAST_SUM = 1e-9


@dataclass
class Unlabelled:
    """Classes found among the laboratory's own cells, from where the source takes them to be.

    The source errs most where its boundaries cut through a class that lies elsewhere in the new
    laboratory. So each class becomes the mean of all cells, weighed by how probable the source
    takes it to be for them (the first step of Liang et al. 2020, SHOT, arXiv 2002.08546, eq. 6),
    and a cell gets the class whose mean is nearest, as in `Prototypes`. SHOT repeats that; here
    repeating does harm, as rare classes drift into common ones. How common the classes are is
    estimated by expectation maximisation, drawn to equal shares as by as many cells again.

    These answers begin a `Mixture` of what the probe of the source says, which moves all classes
    alike and so repeats safely. Both have a voice: probabilities are multiplied, each to a power.
    A model that has no probe of the source for all its classes has the means alone.

    Labels play no part: labelled cells count as images.

    Attributes:
        sharpness: How fast probability falls with squared distance, for inputs of mean square 1.
        voices: Powers of the means' probabilities and of the mixture's.
        mix: After `fit`, the mean probabilities `(K,)` of the classes.
    """

    sharpness: float = SHARPNESS
    voices: tuple[float, float] = VOICES
    name: str = UNLABELLED
    mix: Float | None = None

    def fit(self, task: Task) -> FittedHead:
        """Find the classes that the model of `task` gives, and their shares."""
        own, mean, scale = standardised(task, "features")
        pool = (task.pool.vectors("features", l2=True) - mean) / scale
        inputs = np.vstack([own, pool]).astype(np.float64)
        said = np.vstack(
            [task.model.head.probabilities(one) for one in (task.cells.encoded, task.pool)]
        ).astype(np.float64)
        weight, bias = self._means(inputs, said)
        probe = read_trust(task.model).probe
        if probe is not None and len(probe) == len(task.classes):
            mixture = fit_mixture(inputs @ probe.T, softmax(inputs @ weight.T + bias, axis=1))
            one, other = self.voices
            weight = one * weight + other * mixture.weight @ probe
            bias = one * bias + other * mixture.bias
        found = softmax(inputs @ weight.T + bias, axis=1)
        self.mix = found.mean(axis=0).astype(np.float32)
        return fitted_head(task, "features", weight, bias, mean, scale)

    def _means(self, inputs: Wide, said: Wide) -> tuple[Wide, Wide]:
        """Return weights and biases of the nearest mean, where `said` is what each cell may be."""
        means = said.T @ inputs / np.maximum(said.sum(axis=0), _LEAST_SUM)[:, None]
        weight = 2 * self.sharpness * means
        bias = -self.sharpness * (means**2).sum(axis=1)
        found = softmax(inputs @ weight.T + bias, axis=1)
        shares = estimate_class_mix(found, np.full(len(weight), 1 / len(weight)), HALF_WAY)
        return weight, bias + np.log(shares)
