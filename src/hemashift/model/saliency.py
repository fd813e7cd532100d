"""Where in a cell's image the network found what speaks for a class (extra ``train``).

Grad-CAM (Selvaraju et al. 2017, https://doi.org/10.1109/ICCV.2017.74) on the last maps of the
trunk. Every map that the head reads is pooled over its positions; the gradient of the class by
the pooled channel, times the channel at a position, is what that position adds to the class. An
EfficientNet has several such maps, the last layer and the stages before it (`read_layers`), and
what those add that the head reads is summed.

The last maps are coarse: 7 x 7 positions for 224 pixels, of which a nucleus covers about ten. Maps
of earlier blocks are finer, and were tried alone, by LayerCAM and by gradient times activation at
14 x 14 and 28 x 28: covering their least salient quarter of a real cell cost about as much
probability as covering the most salient one, so alone they do not show what counts. The sum of all
that the head reads passes that test
(`tests/model/test_saliency.py`). What makes them finer instead are shifts: the image is moved in
steps smaller than a position, and the maps, moved back, are averaged (as in Augmented Grad-CAM,
Morbidelli et al. 2020, https://doi.org/10.1109/ICASSP40776.2020.9054416). That takes away the
pattern of the positions, so that nucleus, lobes and granules appear in one piece.

The map says where, not what, and it is no proof: covering what it shows lowers the probability
of the class on average, not for every cell.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from itertools import product
from threading import Lock
from typing import TYPE_CHECKING, cast

import numpy as np

from hemashift.errors import HemashiftError, ImageError
from hemashift.model.architectures import STAGES
from hemashift.model.checkpoint import load_network
from hemashift.model.extra import train_extra_missing
from hemashift.model.preprocessing import Pixels

try:
    import torch
    from torch import Tensor, nn
    from torch.nn.functional import interpolate, pad
except ImportError as error:  # pragma: no cover - depends on the installation
    raise train_extra_missing() from error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hemashift.model.architectures import Network
    from hemashift.model.bundle import Bundle
    from hemashift.model.heads import Float

# The maps that are pooled into what the head reads. Of the tokens of a transformer only the one
# of the class is read, so its map is what the last attention reads.
_EFFICIENTNET = (*(f"blocks.{stage}" for stage in range(7 - STAGES, 7)), "bn2")
_PAIR = tuple(f"member.{k}.{at}" for k in (0, 1) for at in _EFFICIENTNET)
_MAPS: Mapping[str, tuple[str, ...]] = {
    "efficientnet_b0": _EFFICIENTNET,
    "efficientnet_lite0": _EFFICIENTNET,
    "efficientnet_lite0_pair": _PAIR,
    "efficientnet_lite2": _EFFICIENTNET,
    "efficientnet_lite2_pair": _PAIR,
    "vgg16": ("features",),
    "resnet101": ("layer4",),
    "vit": ("blocks.11.norm1",),
    "inception_v3": ("Mixed_7c",),
}
# A position of the last maps is 32 pixels wide; these cut it into thirds.
_SHIFTS = (-11, 0, 11)


class Saliency:
    """The network of a model, ready to be asked where it found what speaks for a class.

    It may be asked from any thread, by one at a time.

    Args:
        bundle: The model, of any architecture and head.

    Raises:
        ModelFileError: The weights do not fit the architecture that the card names.
    """

    def __init__(self, bundle: Bundle) -> None:
        self.classes = bundle.card.classes
        self.size = bundle.card.preprocessing.size
        self._network = load_network(bundle).requires_grad_(False)
        self._lock = Lock()

    def __call__(self, image: Pixels, label: str | None = None) -> Float:
        """Say how much each part of an image spoke for a class.

        Args:
            image: uint8 (S, S, 3), prepared by ``bundle.card.preprocessing``.
            label: The class; by default the one that the network finds most probable.

        Returns:
            float32 (S, S) in 0..1. The part that spoke most for the class against all others
            is 1, and what spoke against it or not at all is 0; the map says nothing of how
            probable the class is. All zeros where nothing spoke for the class. The same image
            gives the same map.

        Raises:
            HemashiftError: The model does not know the class.
            ImageError: Shape or type are not those above.
        """
        if image.shape != (self.size, self.size, 3) or image.dtype != np.uint8:
            raise ImageError(
                "the image is not prepared for this model",
                expected=f"uint8 ({self.size}, {self.size}, 3)",
                found=f"{image.dtype} {image.shape}",
                hint="prepare it with model.card.preprocessing(image)",
            )
        if label is not None and label not in self.classes:
            raise HemashiftError(
                "the model does not know this class",
                expected=", ".join(self.classes),
                found=label,
            )
        with self._lock:
            return self._map(image, label)

    def _map(self, image: Pixels, label: str | None) -> Float:
        network, reach, side = self._network, max(_SHIFTS), self.size
        with torch.no_grad():
            wide = network.normalise(torch.from_numpy(image[None].copy()))
            wide = pad(wide, (reach,) * 4, mode="replicate")
        starts = [(reach + down, reach + right) for down, right in product(_SHIFTS, _SHIFTS)]
        shifted = torch.cat([wide[:, :, y : y + side, x : x + side] for y, x in starts])
        logits, maps = _pooled_maps(network, shifted)
        if label is None:
            wanted = int(logits[starts.index((reach, reach))].argmax())
        else:
            wanted = self.classes.index(label)
        found = _grad_cam(_log_odds(logits, wanted), maps, side, network.turns)
        summed = torch.zeros(wide.shape[-2:])
        covered = torch.zeros_like(summed)
        for (y, x), one in zip(starts, found, strict=True):
            summed[y : y + side, x : x + side] += one
            covered[y : y + side, x : x + side] += 1
        mean = (summed / covered.clamp(min=1))[reach : reach + side, reach : reach + side]
        mean = mean.clamp(min=0)
        return cast("Float", (mean / mean.max().clamp(min=1e-12)).clamp(max=1).numpy())


def _pooled_maps(network: Network, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return logits (N, K) and the maps that they come from, each cut off from what is before.

    As the maps are cut off, the gradient by one leaves out what goes through another, and no
    gradient is ever computed through the trunk.
    """
    maps: list[Tensor] = []

    def cut_off(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        maps.append(output.detach().requires_grad_())
        return maps[-1].clone()  # what follows may work in place

    with ExitStack() as hooks:
        for name in _MAPS[network.architecture.name]:
            module = network.trunk.get_submodule(name)
            hooks.callback(module.register_forward_hook(cut_off).remove)
        logits = cast(Tensor, network(x))
    return logits, maps


def _log_odds(logits: Tensor, wanted: int) -> Tensor:
    """Return the log odds (N,) of a class.

    Unlike a logit they do not change when the same is added to all logits, as probabilities do
    not; unlike a probability they still have a slope where the network is certain.
    """
    others = torch.cat([logits[:, :wanted], logits[:, wanted + 1 :]], dim=1)
    if others.shape[1] == 0:
        return logits[:, wanted]
    # A class that must never be predicted has a logit of minus infinity.
    return logits[:, wanted] - torch.logsumexp(others, dim=1)


def _grad_cam(score: Tensor, maps: list[Tensor], side: int, turns: int) -> Tensor:
    """Return what each position adds to the scores (N,), as (N, side, side).

    A network that looks at each image several times (`hemashift.model.architectures.encode`) has
    maps of all images upright, then of all a quarter turn on, and so forth; they are turned back.
    """
    enlarge = partial(interpolate, size=(side, side), mode="bicubic", align_corners=False)
    total = torch.zeros(turns * len(score), 1, side, side)
    slopes = torch.autograd.grad(score.sum(), maps, allow_unused=True)
    for kept, slope in zip(maps, slopes, strict=True):
        if slope is None:  # the head does not read this map
            continue
        values, slope = _as_map(kept.detach()), _as_map(slope)
        total += enlarge((slope.mean((2, 3), keepdim=True) * values).sum(1, keepdim=True))
    views = total[:, 0].nan_to_num(0.0).chunk(turns)
    return torch.stack([torch.rot90(view, -k, (1, 2)) for k, view in enumerate(views)]).sum(0)


def _as_map(values: Tensor) -> Tensor:
    """Return a map (N, C, H, W); tokens (N, 1 + H * W, C) of a transformer become one."""
    if values.ndim == 4:
        return values
    tokens = values[:, 1:]
    side = int(tokens.shape[1] ** 0.5)
    return tokens.transpose(1, 2).reshape(len(values), -1, side, side)
