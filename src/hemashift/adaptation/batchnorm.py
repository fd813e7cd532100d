"""Batch-norm statistics of the laboratory's own images, then the probe (extra `train`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from hemashift.adaptation.contract import Cells, Float, Task
from hemashift.adaptation.probe import Probe
from hemashift.model.bundle import Bundle
from hemashift.model.extra import train_extra_missing
from hemashift.model.heads import Head
from hemashift.model.runtime import Encoder

try:
    import torch
    from torch import Tensor, nn

    from hemashift.model.architectures import Network
    from hemashift.model.checkpoint import encoder_tensors, load_network
    from hemashift.training.memory import keep_freed_memory
except ImportError as error:
    raise train_extra_missing() from error

Images = npt.NDArray[np.uint8]


@dataclass
class BatchNorm:
    """The probe on an encoder whose batch norm has seen the laboratory's images.

    Mean and variance of each batch-norm layer are mixed from those of the source and those of the
    laboratory's images, labelled or not (Schneider et al. 2020, arXiv 2006.16971; Nado et al.
    2020, arXiv 2006.10963). No label is used for it. The images are then encoded anew and `Probe`
    is fitted to them. A network without batch norm stays as it is.

    Attributes:
        source_weight: Images that the statistics of the source count for.
        most: Images that are looked at; a random choice where there are more. All are in memory
            together, since each layer needs the mean over all of them.
    """

    source_weight: int = 256
    most: int = 64
    name: str = "batchnorm"

    def fit(self, task: Task) -> FittedEncoder:
        """Estimate the statistics, encode all images anew, and fit the probe."""
        keep_freed_memory()
        pool = pool_images(task)
        images = np.concatenate([task.cells.images, pool])
        if len(images) > self.most:
            rng = np.random.default_rng([task.seed, 11])
            images = images[np.sort(rng.choice(len(images), self.most, replace=False))]
        network = load_network(task.model)
        estimate_statistics(network, images, self.source_weight)
        model = task.model.with_weights(encoder_tensors(network))
        encoder = Encoder(model)
        cells = Cells(task.cells.images, encoder.encode(task.cells.images))
        moved = replace(task, model=model, cells=cells, pool=encoder.encode(pool))
        return FittedEncoder(task.model, model, encoder, Probe().fit(moved).head)


def pool_images(task: Task) -> Images:
    """Return the prepared unlabelled images `(M, S, S, 3)`, none where the task has none."""
    return task.cells.images[:0] if task.pool_images is None else task.pool_images


def estimate_statistics(network: Network, images: Images, source_weight: int) -> None:
    """Mix the batch-norm statistics of a network with those of other images, in place.

    With N for `source_weight` and n images, mean and variance become N / (N + n) of the old and
    n / (N + n) of the new, layer by layer: each layer sees what the layers before it, already
    changed, make of the images.

    Args:
        network: The network, in evaluation mode.
        images: uint8 `(n, S, S, 3)`, prepared.
        source_weight: N, 0 or above; 0 forgets the source.
    """
    share = len(images) / (len(images) + source_weight)

    def mix(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        (x,) = inputs
        assert isinstance(layer, nn.BatchNorm2d)
        assert layer.running_mean is not None and layer.running_var is not None
        variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        layer.running_mean.lerp_(mean, share)
        layer.running_var.lerp_(variance, share)

    hooks = [
        layer.register_forward_pre_hook(mix)
        for layer in network.trunk.modules()
        if isinstance(layer, nn.BatchNorm2d)
    ]
    with torch.no_grad():
        network.encode(network.normalise(torch.from_numpy(np.ascontiguousarray(images))))
    for hook in hooks:
        hook.remove()


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
