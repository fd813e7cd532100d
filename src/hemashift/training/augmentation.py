"""Random changes of a whole batch on the training device: geometry, stain, light, sharpness."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as functional
from torch import Tensor

from hemashift.training.recipe import Augmentation

_DARKEST = 1 / 255


def augment(
    images: Tensor,
    size: int,
    settings: Augmentation,
    generator: torch.Generator,
    *,
    margin: float = 1.0,
    chosen: Tensor | None = None,
    standardise: Callable[[Tensor], Tensor] | None = None,
) -> Tensor:
    """Return randomly changed copies of `images`, at the size the network takes.

    The order is that of a microscope: the frame (geometry), the stain and the light, then optics
    and sensor (sharpness, noise). The colour transform comes after the frame, as in classification,
    since its statistics depend on what the frame holds.

    Args:
        images: `(N, 3, H, W)` float, 0 to 1: the frame in the middle, its surroundings around it.
        size: Side of the result in pixels.
        settings: Strength of each change.
        generator: Source of randomness (on the CPU, so that devices agree).
        margin: Width of the images relative to that of the frame; 1 where they are the frame.
        chosen: `(N,)` bool, the images that may be zoomed and reduced in resolution; None for all.
        standardise: The colour transform of a batch; None for none.

    Returns:
        `(N, 3, size, size)` float, 0 to 1.

    Examples:
        >>> images = torch.full((2, 3, 64, 64), 0.5)
        >>> changed = augment(images, 32, Augmentation(), torch.Generator().manual_seed(0))
        >>> tuple(changed.shape)
        (2, 3, 32, 32)
    """
    if chosen is None:
        chosen = torch.ones(len(images), dtype=torch.bool)
    images = _cut_out(images, size, settings, generator, margin, chosen)
    if standardise is not None:
        images = standardise(images)
    images = _stain_and_light(images, settings, generator)
    images = _reduce_resolution(images, settings, generator, chosen)
    if settings.noise > 0:
        level = torch.rand(len(images), 1, 1, 1, generator=generator) * settings.noise
        grain = torch.randn(images.shape, generator=generator) * level
        images = images + grain.to(images.device)
    return images.clamp(0, 1)


def _spread(
    count: int, deviation: float, generator: torch.Generator, device: torch.device
) -> Tensor:
    """Draw log-normal factors of shape `(count, 1, 1, 1)`."""
    return torch.exp(torch.randn(count, 1, 1, 1, generator=generator) * deviation).to(device)


def _cut_out(
    images: Tensor,
    size: int,
    settings: Augmentation,
    generator: torch.Generator,
    margin: float,
    chosen: Tensor,
) -> Tensor:
    """Rotate, mirror, zoom, stretch and shift in one resampling; the border is mirrored."""
    count = len(images)
    turn = torch.rand(count, generator=generator) * (2 * math.pi) * settings.rotate
    mirror = torch.where(torch.rand(count, generator=generator) < 0.5 * settings.rotate, -1.0, 1.0)
    low, high = settings.window
    window = low * (high / low) ** torch.rand(count, generator=generator)
    window = torch.where(chosen, window, torch.ones(())) / margin
    stretch = torch.exp(torch.randn(count, generator=generator) * settings.aspect)
    shift = (torch.rand(count, 2, generator=generator) * 2 - 1) * settings.shift / margin
    across, down = window * mirror * stretch, window / stretch
    cos, sin = turn.cos(), turn.sin()
    matrix = torch.stack(
        [
            torch.stack([cos * across, -sin * down, shift[:, 0]], dim=1),
            torch.stack([sin * across, cos * down, shift[:, 1]], dim=1),
        ],
        dim=1,
    ).to(images)
    grid = functional.affine_grid(matrix, [count, 3, size, size], align_corners=False)
    return functional.grid_sample(
        images, grid, mode="bilinear", padding_mode="reflection", align_corners=False
    )


def _stain_and_light(images: Tensor, settings: Augmentation, generator: torch.Generator) -> Tensor:
    """Perturb stains in optical density, where they add up (Beer-Lambert), then the camera."""
    count, device = len(images), images.device
    mixing = torch.eye(3) + torch.randn(count, 3, 3, generator=generator) * settings.stain_mix
    tint = torch.randn(count, 3, 1, 1, generator=generator) * settings.stain_offset
    density = -torch.log(images.clamp(_DARKEST, 1))
    density = torch.einsum("nij,njhw->nihw", mixing.to(device), density)
    density = density * _spread(count, settings.stain_gain, generator, device) + tint.to(device)
    # A power of the grey values is a factor of the density, which is much cheaper.
    density = density.clamp_min(0) * _spread(count, settings.gamma, generator, device)
    images = torch.exp(-density)
    mean = images.mean((1, 2, 3), keepdim=True)
    images = (images - mean) * _spread(count, settings.contrast, generator, device) + mean
    grey = images.mean(1, keepdim=True)
    images = (images - grey) * _spread(count, settings.saturation, generator, device) + grey
    return images.clamp(0, 1)


def _reduce_resolution(
    images: Tensor, settings: Augmentation, generator: torch.Generator, chosen: Tensor
) -> Tensor:
    """Shrink and enlarge again a quarter of the batch at a time, each to a side of its own."""
    if settings.resolution_chance == 0:
        return images
    size = images.shape[-1]
    low, high = settings.resolution
    changed = images.clone()
    for part, allowed in zip(changed.chunk(4), chosen.chunk(4), strict=True):  # views of `changed`
        side = round((low + (high - low) * float(torch.rand((), generator=generator))) * size / 224)
        reduced = torch.rand(len(part), generator=generator) < settings.resolution_chance
        rows = (reduced & allowed).to(part.device)
        if rows.any():
            small = functional.interpolate(
                part[rows], (side, side), mode="bilinear", antialias=True, align_corners=False
            )
            part[rows] = functional.interpolate(
                small, (size, size), mode="bilinear", align_corners=False
            )
    return changed
