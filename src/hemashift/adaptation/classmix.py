"""Class mix: the probe, corrected for how common each class is among the laboratory's cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import FittedHead, Task
from hemashift.adaptation.probe import Probe
from hemashift.model.heads import LinearHead, softmax
from hemashift.trust.mix import estimate_class_mix

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
