"""What is known about a model's honesty: out-of-fold probabilities of labelled cells."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.trust.mix import reweighted

Float = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

_LEAST = 1e-9


@dataclass(frozen=True, eq=False)
class Calibration:
    """Labelled cells, each with the probabilities of a model that was fitted without it.

    They stand for the cells to come. That holds as far as the labelled cells were drawn at random
    from what is to be classified; each is predicted by a model with fewer labels than the final
    one, so that limits found on them are rather too cautious than too bold.

    Attributes:
        probabilities: `(N, K)`, rows summing to 1.
        targets: `(N,)` class index.
        weights: `(N,)`, above 0 with mean 1: how many cells to come each stands for.
    """

    probabilities: Float
    targets: Integers
    weights: Float

    @classmethod
    def of(
        cls,
        probabilities: npt.NDArray[np.floating],
        targets: Integers,
    ) -> Calibration:
        """Take each cell for one of those to come.

        Args:
            probabilities: `(N, K)` out-of-fold probabilities, calibrated; brought to a sum of 1.
            targets: `(N,)` class index.

        Examples:
            >>> Calibration.of(np.array([[3, 1]]), np.array([0])).probabilities.tolist()
            [[0.75, 0.25]]
        """
        values = np.asarray(probabilities, np.float64)
        total = np.maximum(values.sum(axis=1, keepdims=True), _LEAST)
        return cls(values / total, np.asarray(targets, np.int64), np.ones(len(targets)))

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def prior(self) -> Float:
        """`(K,)` the class mix that the probabilities assume: their mean (Alexandari et al. 2020).

        For calibrated probabilities this is the class mix of the labelled cells, and it is above 0
        for a class without a labelled cell, too.
        """
        mean = np.maximum(self.probabilities.mean(axis=0), _LEAST)
        share: Float = mean / mean.sum()
        return share

    def moved(self, mix: npt.NDArray[np.floating]) -> Calibration:
        """Return what these cells say about a smear with another class mix.

        Under label shift, cells of one class look alike in both mixes; only how many there are
        differs (Podkopaev and Ramdas 2021).

        Args:
            mix: `(K,)` share of each class in the smear.
        """
        weights = np.maximum((np.asarray(mix, np.float64) / self.prior)[self.targets], _LEAST)
        return replace(
            self,
            probabilities=reweighted(self.probabilities, self.prior, mix),
            weights=weights / weights.mean(),
        )
