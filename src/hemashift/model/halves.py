"""An EfficientNet in two halves: the lower stays as it is, the upper is trained (extra `train`).

What the lower half makes of an image never changes, so that it is found once and not in each step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from hemashift.model.architectures import STAGES, Members, Network, join_layers, read_layers
from hemashift.model.extra import train_extra_missing

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error

Seen = tuple[Tensor, ...]
"""What the lower half of one trunk says: the map it ends with (N, C, H, W), and then each of its
stages, pooled (N, D), the first one first."""

# Stages of the upper half: two thirds of the weights, a third of the time.
UPPER = 2


class Halves:
    """A network cut in two.

    A trunk without the stages of an EfficientNet has an empty lower half.

    Args:
        network: The network. Its trunk may be several, each of which is cut.
        upper: Stages of the upper half, from the end; the last convolution comes on top.
    """

    def __init__(self, network: Network, upper: int = UPPER) -> None:
        self.network = network
        trunk = network.trunk
        self._trunks: list[nn.Module] = (
            list(trunk.member) if isinstance(trunk, Members) else [trunk]
        )
        self._upper = upper

    def parameters(self) -> Iterator[nn.Parameter]:
        """Yield the weights of the upper half, the embedding and the head."""
        for trunk in self._trunks:
            network: Any = trunk
            parts = [network]
            if hasattr(network, "conv_head"):
                parts = [*network.blocks[-self._upper :], network.conv_head, network.bn2]
            for part in parts:
                yield from part.parameters()
        yield from self.network.embedding.parameters()
        yield from self.network.head.parameters()

    def below(self, x: Tensor) -> list[Seen]:
        """Return what the lower half of each trunk says of normalised images (N, 3, S, S)."""
        return [self._below(trunk, x) for trunk in self._trunks]

    def logits(self, seen: Sequence[Seen]) -> Tensor:
        """Return the network's logits (N, K) from what its lower half said; one look an image."""
        found = [self._above(trunk, *one) for trunk, one in zip(self._trunks, seen, strict=True)]
        layers = tuple(torch.cat(layer, dim=1) for layer in zip(*found, strict=True))
        network = self.network
        features = join_layers(layers[: network.depth])
        return network.decide(features, network.embedding(layers[0]))

    def _below(self, trunk: nn.Module, x: Tensor) -> Seen:
        if not hasattr(trunk, "conv_head"):
            return (x,)
        network: Any = trunk
        found, pooled = network.bn1(network.conv_stem(x)), []
        for stage in network.blocks[: -self._upper]:
            found = stage(found)
            pooled.append(found.mean((2, 3)))
        return (found, *pooled)

    def _above(self, trunk: nn.Module, found: Tensor, *pooled: Tensor) -> tuple[Tensor, ...]:
        if not hasattr(trunk, "conv_head"):
            return read_layers(trunk, found)
        network: Any = trunk
        stages = list(pooled)
        for stage in network.blocks[-self._upper :]:
            found = stage(found)
            stages.append(found.mean((2, 3)))
        last = network.global_pool(network.bn2(network.conv_head(found)))
        return (cast(Tensor, last), *reversed(stages[-STAGES:]))
