"""Stain normalisation in optical density.

Macenko et al., A method for normalizing histology slides for quantitative analysis, ISBI 2009.
Two stain directions span the plane of an image's optical densities; the amounts of the two
stains are kept, scaled to a common maximum, and shown in the reference's directions.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from hemashift.colour.base import Float, Pixels, check_parameters, matrix, mean_of, vector
from hemashift.colour.planar import Planes, interleave, load_planes, not_black, workspace

# Published: from this optical density on a pixel counts as stained. Here the mean of the three
# channels must reach it, not each one: nuclei in blood films hardly absorb blue.
STAINED = 0.15
# The light of the empty field, taken from each image: the published 240 holds for one scanner.
FIELD_PERCENTILE = 95
LEAST_FIELD = 30.0
# Percentiles: of the angle for the two directions, of the amount for its maximum.
ANGLE_PERCENTILES = (1.0, 99.0)
AMOUNT_PERCENTILE = 99.0
# An image below any of these shows no two stains and is left as it is.
LEAST_STAINED_PIXELS = 50
LEAST_ANGLE = np.radians(2.0)
LEAST_AMOUNT = 0.05

# Averages over 1,200 images of the Barcelona dataset (200 a class).
BARCELONA_STAINS = ((0.7092, 0.6659, 0.2315), (0.4217, 0.9007, 0.1042))
BARCELONA_FIELD = (254.2, 229.7, 204.6)
BARCELONA_AMOUNTS = (1.008, 2.119)


@dataclass(frozen=True)
class Stains:
    """The two stains of an image.

    Attributes:
        directions: Unit vectors of red, green, blue optical density, shape (2, 3); first the
            one that absorbs more red, the blue thiazine dye, then eosin.
        amounts: 99th percentile of the amount of each, shape (2,).
        field: Red, green, blue of the empty field, 0 to 255, shape (3,).
    """

    directions: Float
    amounts: Float
    field: Float


class Macenko:
    """Shows every image in the same two stains, of the same strength.

    Made for two dyes. In a blood film haemoglobin is a third colour, so red cells can come out
    in the colour of nuclei where the field holds many; look at the result before using it.

    An image without enough stain, or with one stain only, is returned unchanged.

    Args:
        stains: Reference directions, shape (2, 3); the default is that of Barcelona.
        amounts: Reference 99th percentiles of the amounts, shape (2,).
        field: Reference colour of the empty field, 0 to 255, shape (3,).

    Attributes:
        name: "macenko".
        stains: Reference directions, unit length, shape (2, 3).
        amounts: Reference amounts, shape (2,).
        field: Reference colour of the empty field, shape (3,).

    Examples:
        >>> blank = np.full((8, 8, 3), 235, np.uint8)
        >>> bool((Macenko()(blank) == blank).all())
        True
    """

    name = "macenko"

    def __init__(
        self,
        stains: Iterable[Iterable[float]] = BARCELONA_STAINS,
        amounts: Iterable[float] = BARCELONA_AMOUNTS,
        field: Iterable[float] = BARCELONA_FIELD,
    ) -> None:
        self.stains = matrix(stains, "stain matrix", rows=2)
        length = np.linalg.norm(self.stains, axis=1, keepdims=True)
        if not np.allclose(length, 1, rtol=0, atol=1e-9):
            self.stains = self.stains / length
        self.amounts = vector(amounts, "amounts", positive=True, length=2)
        self.field = vector(field, "field", positive=True)

    def fit(self, images: Iterable[Pixels]) -> Self:
        """Take the reference stains from images.

        Args:
            images: `uint8` arrays, (height, width, 3), RGB. The directions and amounts of those
                with two stains are averaged.

        Returns:
            The transform itself, changed.

        Raises:
            ImageError: There is no image with two stains.
        """
        directions, self.amounts, self.field = mean_of(
            (stains.directions, stains.amounts, stains.field)
            for stains in map(find_stains, images)
            if stains is not None
        )
        self.stains = directions / np.linalg.norm(directions, axis=1, keepdims=True)
        return self

    def __call__(self, image: Pixels) -> Pixels:
        """Transform one image.

        Args:
            image: `uint8`, (height, width, 3), RGB.

        Returns:
            `uint8`, same shape.
        """
        stains = find_stains(image)
        if stains is None:
            return image.copy()
        # Amounts from densities, scaled, shown in the reference's directions: one matrix.
        to_amounts = np.linalg.pinv(stains.directions.T)
        fold = self.stains.T @ (to_amounts * (self.amounts / stains.amounts)[:, None])
        density, spare = _density(image, stains.field)
        np.matmul(-fold.astype(np.float32), density, out=spare)
        spare += np.log(self.field)[:, None].astype(np.float32)
        # Brighter than white is clipped in any case, and must stay finite until then.
        np.minimum(spare, 10, out=spare)
        np.exp(spare, out=spare)
        return interleave(spare, image.shape)

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the reference stains as JSON values."""
        return {
            "name": self.name,
            "stains": self.stains.tolist(),
            "amounts": self.amounts.tolist(),
            "field": self.field.tolist(),
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the transform that `to_dict` described.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number.
        """
        check_parameters(values, cls.name, {"stains", "amounts", "field"})
        return cls(values["stains"], values["amounts"], values["field"])


def find_stains(image: Pixels) -> Stains | None:
    """Find the two stains of an image.

    Args:
        image: `uint8`, (height, width, 3), RGB.

    Returns:
        The stains; None where too few pixels are stained or all in one direction.
    """
    if image.size == 0:
        return None
    field = _field(image)
    density, _ = _density(image, field)
    lit = not_black(image)
    if not lit.all():
        density = np.compress(lit, density, axis=1)
    stained = np.compress(density.sum(axis=0) > 3 * STAINED, density, axis=1)
    if stained.shape[1] < LEAST_STAINED_PIXELS:
        return None
    _, axes = np.linalg.eigh(np.cov(stained, dtype=np.float64))
    # The plane of the two largest axes, turned so that densities lie on its positive side.
    plane = axes[:, [2, 1]] * np.where(axes[:, [2, 1]].sum(axis=0) < 0, -1.0, 1.0)
    first, second = plane.T.astype(np.float32) @ stained
    low, high = np.percentile(np.arctan2(second, first), ANGLE_PERCENTILES)
    if high - low < LEAST_ANGLE:
        return None
    directions = np.array([plane @ (np.cos(angle), np.sin(angle)) for angle in (low, high)])
    # No dye gives off light; what falls below zero is noise.
    np.maximum(directions, 0, out=directions)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    if directions[0] @ directions[1] > np.cos(LEAST_ANGLE):
        return None
    if directions[0, 0] < directions[1, 0]:
        directions = directions[::-1]
    amounts_of = np.linalg.pinv(directions.T).astype(np.float32)
    amounts = np.percentile(amounts_of @ density, AMOUNT_PERCENTILE, axis=1)
    if amounts.min() < LEAST_AMOUNT:
        return None
    return Stains(directions, amounts.astype(np.float64), field)


def _field(image: Pixels) -> Float:
    """Return the colour of the empty field, the lightest part of the image."""
    field = np.percentile(image.reshape(-1, 3)[::5], FIELD_PERCENTILE, axis=0)
    return np.maximum(field, LEAST_FIELD).astype(np.float64)


def _density(image: Pixels, field: Float) -> tuple[Planes, Planes]:
    """Return the optical density as planes, shape (3, pixels), and a spare array."""
    density, spare = workspace(image.shape[0] * image.shape[1])
    load_planes(image, density)
    np.maximum(density, 1, out=density)
    density /= field[:, None].astype(np.float32)
    np.log(density, out=density)
    np.negative(density, out=density)
    return density, spare
