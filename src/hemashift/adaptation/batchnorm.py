"""Batch-norm statistics of the laboratory's own images, then `blend`."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.blend import Blend
from hemashift.adaptation.contract import Cells, Float, Task
from hemashift.model.bundle import Bundle
from hemashift.model.heads import Head
from hemashift.model.runtime import Encoder
from hemashift.model.statistics import with_statistics_of

Images = npt.NDArray[np.uint8]


@dataclass
class BatchNorm:
    """`Blend` on an encoder whose batch norm has seen the laboratory's images.

    Mean and variance of each batch-norm layer are mixed from those of the source and those of the
    laboratory's images, labelled or not, see `with_statistics_of` (Schneider et al. 2020, arXiv
    2006.16971; Nado et al. 2020, arXiv 2006.10963). No label is used for it. The images are then
    encoded anew and `Blend` is fitted to them. A network without batch norm stays as it is.

    Attributes:
        source_weight: Images that the statistics of the source count for.
        most: Images that are looked at; a random choice where there are more. All are in memory
            together, since each layer needs the mean over all of them.
    """

    source_weight: int = 256
    most: int = 64
    name: str = "batchnorm"

    def fit(self, task: Task) -> FittedEncoder:
        """Estimate the statistics, encode all images anew, and fit `Blend`."""
        pool = pool_images(task)
        images = np.concatenate([task.cells.images, pool])
        if len(images) > self.most:
            rng = np.random.default_rng([task.seed, 11])
            images = images[np.sort(rng.choice(len(images), self.most, replace=False))]
        model = with_statistics_of(images, task.model, self.source_weight)
        encoder = Encoder(model)
        cells = Cells(task.cells.images, encoder.encode(task.cells.images))
        moved = replace(task, model=model, cells=cells, pool=encoder.encode(pool))
        return FittedEncoder(task.model, model, encoder, Blend().fit(moved).head)


def pool_images(task: Task) -> Images:
    """Return the prepared unlabelled images `(M, S, S, 3)`, none where the task has none."""
    return task.cells.images[:0] if task.pool_images is None else task.pool_images


@dataclass(frozen=True, eq=False)
class FittedEncoder:
    """A model with other weights in its encoder, and a head for what it then says.

    Attributes:
        start: The model it started from.
        model: The same with the new weights.
        encoder: Its encoder.
        head: The head.
    """

    start: Bundle
    model: Bundle
    encoder: Encoder
    head: Head

    def probabilities(self, cells: Cells) -> Float:
        """Return `(N, K)` class probabilities; the encodings of the old weights are not used."""
        return self.head.probabilities(self.encoder.encode(cells.images))

    def bundle(self) -> Bundle:
        """Return the adapted model."""
        return self.start.with_weights(self.model.weights(), self.head)
