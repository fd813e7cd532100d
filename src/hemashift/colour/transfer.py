"""What the transfers of mean and deviation share, whatever colour space they work in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np

from hemashift.colour.base import Float, Pixels, check_parameters, mean_of, vector


class StatisticsTransfer(ABC):
    """Gives every image the same mean and deviation in some space (Reinhard et al. 2001).

    Args:
        mean: Target means of the three axes.
        deviation: Target standard deviations of the three axes.
        ignore_black: Leave black pixels out of the image's own statistics. The published method
            counts them, so the black corners of a rotated image shift all its colours.

    Attributes:
        name: The name under which `create` makes the transform.
        flat: Deviation below which an axis is flat: it is moved, not scaled.
        mean: Target means, shape (3,).
        deviation: Target standard deviations, shape (3,).
        ignore_black: Whether black pixels are left out of the statistics.
    """

    name: str
    flat: ClassVar[float]

    def __init__(
        self, mean: Iterable[float], deviation: Iterable[float], *, ignore_black: bool = False
    ) -> None:
        self.mean = vector(mean, "mean")
        self.deviation = vector(deviation, "deviation", positive=True)
        self.ignore_black = bool(ignore_black)

    @abstractmethod
    def statistics(self, image: Pixels) -> tuple[Float, Float]:
        """Return mean and standard deviation of an image, each of shape (3,)."""

    @abstractmethod
    def __call__(self, image: Pixels) -> Pixels:
        """Transform one image, `uint8` (height, width, 3), RGB."""

    def fit(self, images: Iterable[Pixels]) -> Self:
        """Take the target statistics from reference images.

        Args:
            images: `uint8` arrays, (height, width, 3), RGB. Each counts the same, whatever its
                size: the target is the average of the images' own means and deviations.

        Returns:
            The transform itself, changed.

        Raises:
            ImageError: There is no image.
        """
        self.mean, self.deviation = mean_of(self.statistics(image) for image in images)
        self.deviation = np.maximum(self.deviation, self.flat)
        return self

    def gain(self, deviation: Float) -> Float:
        """Return the factor of each axis; 1 for a flat one, which has nothing to scale."""
        scaled = self.deviation / np.maximum(deviation, self.flat)
        return np.where(deviation > self.flat, scaled, 1.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the target statistics as JSON values."""
        return {
            "name": self.name,
            "mean": self.mean.tolist(),
            "deviation": self.deviation.tolist(),
            "ignore_black": self.ignore_black,
        }

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the transform that `to_dict` described.

        Raises:
            ModelFileError: A parameter is missing, unknown, or not a number.
        """
        check_parameters(values, cls.name, {"mean", "deviation"}, {"ignore_black"})
        ignore_black = bool(values.get("ignore_black", False))
        return cls(values["mean"], values["deviation"], ignore_black=ignore_black)
