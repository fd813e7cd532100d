"""Random changes of stain and light, so that a model does not learn one laboratory's colours.

The changes are made in optical density, where dyes add up (Beer-Lambert): Tellez et al.,
Quantifying the effects of data augmentation and stain color normalization, Medical Image
Analysis 58, 2019, vary the amounts of fixed stains; here the three densities are mixed by a
random matrix near the identity, which needs no stain to be known. The lamp's colour and the
camera's gamma follow.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from hemashift.colour.base import Float, Pixels
from hemashift.colour.planar import interleave, load_planes, workspace


@dataclass(frozen=True)
class StainAugmentation:
    """Draws and applies one random change of stain and light.

    Every range is symmetric, and 0 switches a part off; `strength` scales all of them together.

    Attributes:
        mixing: Standard deviation of the off-diagonal entries of the 3 x 3 matrix that mixes
            red, green and blue optical density. 0.1 turns violet nuclei visibly bluer or redder.
        gain: Standard deviation of the logarithm of each channel's density factor, and once more
            of the factor common to all: thin or thick stain.
        offset: Half-width of the density added to all channels: bright or dim lamp.
        tint: Half-width of the density added to each channel: yellow, green or violet light.
        gamma: Half-width of the logarithm of the exponent on 0..1 intensities: camera curve.

    Examples:
        >>> image = np.full((4, 4, 3), 180, np.uint8)
        >>> changed = StainAugmentation()(image, np.random.default_rng(0))
        >>> changed.shape, bool((changed != image).any())
        ((4, 4, 3), True)
        >>> still = StainAugmentation().scaled(0)(image, np.random.default_rng(0))
        >>> bool((still == image).all())
        True
    """

    mixing: float = 0.06
    gain: float = 0.2
    offset: float = 0.12
    tint: float = 0.1
    gamma: float = 0.2

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if not 0 <= value < np.inf:
                raise ValueError(f"{each.name} must be 0 or above, not {value}")

    def scaled(self, strength: float) -> StainAugmentation:
        """Return the augmentation with every range multiplied by `strength`."""
        return StainAugmentation(
            **{each.name: getattr(self, each.name) * strength for each in fields(self)}
        )

    def __call__(self, image: Pixels, generator: np.random.Generator) -> Pixels:
        """Apply a random change.

        Args:
            image: `uint8`, (height, width, 3), RGB.
            generator: Source of randomness; the same state gives the same change.

        Returns:
            A new `uint8` array of the same shape.
        """
        mixing = np.eye(3) + generator.normal(0, self.mixing, (3, 3)) * (1 - np.eye(3))
        gain = np.exp(generator.normal(0, self.gain, 3) / np.sqrt(2))
        gain *= np.exp(generator.normal(0, self.gain) / np.sqrt(2))
        added = generator.uniform(-self.tint, self.tint, 3)
        added += generator.uniform(-self.offset, self.offset)
        gamma = np.exp(generator.uniform(-self.gamma, self.gamma))
        if image.size == 0:
            return image.copy()
        # Intensity to the power gamma is density times gamma, so one affine map does it all.
        # Rows are brought to the sum 1, lest mixing alone made the image darker or lighter.
        mixing /= np.maximum(mixing.sum(axis=1, keepdims=True), 0.1)
        return _map_density(image, gamma * gain[:, None] * mixing, gamma * added)


def _map_density(image: Pixels, matrix: Float, added: Float) -> Pixels:
    """Apply density' = matrix @ density + added to every pixel."""
    log, spare = workspace(image.shape[0] * image.shape[1])
    load_planes(image, log)
    np.maximum(log, 1.0, out=log)
    log *= np.float32(1 / 255)
    np.log(log, out=log)
    # With minus the density in hand, the added density changes its sign too.
    np.matmul(matrix.astype(np.float32), log, out=spare)
    spare += (np.log(255.0) - added)[:, None].astype(np.float32)
    np.minimum(spare, 10, out=spare)
    np.exp(spare, out=spare)
    return interleave(spare, image.shape)
