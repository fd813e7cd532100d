"""Class mix: the probe, corrected for how common each class is among the laboratory's cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.probe import Probe
from hemashift.model.heads import LinearHead, softmax

Float = npt.NDArray[np.float64]


@dataclass
class ClassMix:
    """The probe, moved from the mix of classes among the labels to that of the unlabelled cells.

    For labels that were not drawn at random, for instance because rare cells were looked for: the
    probe takes a class to be as common as it is among the labels. How common it is among the
    unlabelled cells is estimated by expectation maximisation, and the biases of the head are
    moved by the logarithm of the ratio (Saerens et al. 2002; Alexandari et al. 2020,
    arXiv 1901.06852). A class without a label stays as unlikely as it is.

    The probabilities of the probe need no further calibration: its regularisation was chosen by
    the log probability of held-out cells.

    Cross-validated scores do not show the gain. The labelled cells are of the mix of the labels.

    Attributes:
        trust: How far the estimate is trusted, 0 (the mix of the labels stays) to below 1. With
            few labels its error is that of the probe, which more unlabelled cells do not lessen.
        mix: After `fit`, the estimated share of each class of the task, `(K,)`.
    """

    trust: float = 0.5
    name: str = "classmix"
    mix: Float | None = None

    def fit(self, task: Task) -> FittedHead:
        """Fit the probe, estimate the class mix, and move the biases."""
        fitted = Probe().fit(task)
        head = fitted.head
        assert isinstance(head, LinearHead)
        counts = np.bincount(task.targets, minlength=len(task.classes))
        self.mix = counts / counts.sum()
        labelled = counts > 0
        prior = self.mix[labelled]
        found = softmax(head.logits(task.pool)[:, labelled]).astype(np.float64)
        self.mix[labelled] = estimate_class_mix(found, prior, self.trust)
        shift = np.zeros(len(counts))
        shift[labelled] = np.log(self.mix[labelled] / prior)
        return FittedHead(task.model, replace(head, bias=(head.bias + shift).astype(np.float32)))


def estimate_class_mix(
    probabilities: npt.NDArray[np.floating],
    prior: npt.NDArray[np.floating],
    trust: float = 0.99,
    iterations: int = 1000,
) -> Float:
    """Estimate how common each class is among unlabelled cells (Saerens et al. 2002).

    Expectation maximisation: the probabilities are reweighted by the mix, and the mix is their
    mean. The mix is held near the prior as by `(1 - trust) / trust` N further cells that are
    spread over the classes as the prior is, so that no class falls to 0. The likelihood is
    concave, so that there is one solution wherever the search begins.

    Args:
        probabilities: `(N, K)` calibrated probabilities of unlabelled cells, rows summing to 1.
            Without any, the prior is returned.
        prior: `(K,)` mix of the cells that the classifier learnt from, above 0, sum 1.
        trust: Weight of the cells against the prior, 0 to below 1.
        iterations: Upper limit; it stops earlier when nothing moves by more than 1e-8.

    Returns:
        `(K,)` shares, above 0, sum 1.

    Raises:
        ValueError: A share of the prior is not above 0, or shapes do not fit.

    Examples:
        >>> sure = np.array([[0.99, 0.01]] * 80 + [[0.01, 0.99]] * 20)
        >>> estimate_class_mix(sure, np.array([0.5, 0.5])).round(2)
        array([0.8, 0.2])
    """
    start: Float = np.asarray(prior, np.float64)
    found: Float = np.asarray(probabilities, np.float64)
    if found.ndim != 2 or start.shape != found.shape[1:] or not (start > 0).all():
        raise ValueError(f"a prior {prior} does not fit probabilities of shape {found.shape}")
    if not 0 <= trust < 1:
        raise ValueError(f"trust must be 0 to below 1, found {trust}")
    if not len(found):
        return start.copy()
    mix = start
    for _ in range(iterations):
        weighed = found * (mix / start)
        weighed /= weighed.sum(axis=1, keepdims=True)
        before, mix = mix, trust * weighed.mean(axis=0) + (1 - trust) * start
        if np.abs(mix - before).max() < 1e-8:
            break
    return mix
