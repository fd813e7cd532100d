"""What the transfers of mean and deviation share, whatever colour space they work in."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from hemashift.colour.base import Float, Pixels, check_parameters, mean_of, vector
from hemashift.colour.planar import Planes, moments, not_black


class StatisticsTransfer(ABC):
    """Gives every image the same mean and deviation in some space (Reinhard et al. 2001).

    Args:
        mean: Target means of the three axes.
        deviation: Target standard deviations of the three axes.
        ignore_black: Leave black pixels out of the image's own statistics. The published method
            counts them, so the black corners of a rotated image shift all its colours.

    Attributes:
        name: The name under which `create` makes the transform.
        forth: Matrix from the planes to the axes, shape (3, 3).
        back: Its inverse.
        offset: What is added to the axes, shape (3,).
        flat: Deviation below which an axis is flat: it is moved, not scaled.
        mean: Target means, shape (3,).
        deviation: Target standard deviations, shape (3,).
        ignore_black: Whether black pixels are left out of the statistics.
    """

    name: str
    forth: ClassVar[Float]
    back: ClassVar[Float]
    offset: ClassVar[Float]
    flat: ClassVar[float]

    def __init__(
        self, mean: Iterable[float], deviation: Iterable[float], *, ignore_black: bool = False
    ) -> None:
        self.mean = vector(mean, "mean")
        self.deviation = vector(deviation, "deviation", positive=True)
        self.ignore_black = bool(ignore_black)

    @abstractmethod
    def planes(self, image: Pixels) -> tuple[Planes, Planes]:
        """Return what the axes are affine in, shape (3, pixels), and a spare array like it."""

    @abstractmethod
    def image_of(self, planes: Planes, spare: Planes, shape: tuple[int, ...]) -> Pixels:
        """Undo `planes`; both arrays may be overwritten."""

    def statistics(self, image: Pixels) -> tuple[Float, Float]:
        """Return the mean and standard deviation of an image.

        Args:
            image: `uint8`, (height, width, 3), RGB.

        Returns:
            Two arrays of shape (3,), one value an axis.
        """
        mean, covariance = moments(self.planes(image)[0], self._counted(image))
        return self.forth @ mean + self.offset, self._deviations(covariance)

    def __call__(self, image: Pixels) -> Pixels:
        """Transform one image.

        Args:
            image: `uint8`, (height, width, 3), RGB.

        Returns:
            `uint8`, same shape. Values beyond 0 to 255 are clipped.
        """
        if image.size == 0:
            return image.copy()
        planes, spare = self.planes(image)
        _, covariance = moments(planes, self._counted(image))
        # All is affine between the planes and the axes, so that one matrix does it.
        fold = (self.back * self.gain(self._deviations(covariance))) @ self.forth
        shift = self.back @ (self.mean - self.offset)
        np.matmul(fold.astype(np.float32), planes, out=spare)
        spare += shift[:, None].astype(np.float32)
        return self.image_of(spare, planes, image.shape)

    def _counted(self, image: Pixels) -> npt.NDArray[np.bool_] | None:
        return not_black(image) if self.ignore_black else None

    def _deviations(self, covariance: Float) -> Float:
        """Standard deviations of the axes from the covariance of the planes."""
        variance = np.einsum("ij,jk,ik->i", self.forth, covariance, self.forth)
        deviation: Float = np.sqrt(np.maximum(variance, 0.0))
        return deviation

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
