"""Colour transfer in the log l-alpha-beta space.

Reinhard et al., Color transfer between images, IEEE CGA 21(5), 2001, equations 2 to 12, in the
colour space of Ruderman et al., J. Opt. Soc. Am. A 15(8), 1998. The target statistics are those
published by Chossegros et al. 2024 for white blood cells.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hemashift.colour.base import Float, Pixels
from hemashift.colour.planar import Planes, interleave, load_planes, workspace
from hemashift.colour.transfer import StatisticsTransfer

RGB_TO_LMS: Float = np.array(
    [[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]]
)
LMS_TO_RGB: Float = np.array(
    [[4.4679, -3.5873, 0.1193], [-1.2186, 2.3809, -0.1624], [0.0497, -0.2439, 1.2045]]
)
# Rows l, alpha, beta; orthonormal, so the transpose is the inverse.
LOG_LMS_TO_LAB: Float = np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]]) / np.sqrt([[3], [6], [2]])

PUBLISHED_MEAN = (-0.4053, -0.0720, 0.0175)
PUBLISHED_DEVIATION = (0.4589, 0.1600, 0.0225)

# Below this a channel is flat: one grey level at white already changes log LMS by 0.004.
FLAT = 1e-4

# exp of this, times the matrix and 255, still fits into 32 bits.
MAX_LOG = 78.0


class Reinhard(StatisticsTransfer):
    """Gives every image the same mean and deviation in log l-alpha-beta.

    Between the logarithm and the exponential the whole transform is affine, so shift and scale
    fold into one 3 x 3 matrix, and the mean and covariance of log LMS are all it needs to know.

    Args:
        mean: Target means of l, alpha, beta; natural logarithm of RGB in 0 to 1.
        deviation: Target standard deviations of l, alpha, beta.
        ignore_black: Leave black pixels out of the image's own statistics. The published method
            counts them, so the black corners of a rotated image shift all its colours.

    Attributes:
        name: "reinhard".
        mean: Target means, shape (3,).
        deviation: Target standard deviations, shape (3,).
        ignore_black: Whether black pixels are left out of the statistics.

    Examples:
        >>> image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        >>> Reinhard()(image).shape
        (8, 8, 3)
    """

    name = "reinhard"
    forth, back, offset = LOG_LMS_TO_LAB, LOG_LMS_TO_LAB.T, np.zeros(3)
    flat = FLAT

    def __init__(
        self,
        mean: Iterable[float] = PUBLISHED_MEAN,
        deviation: Iterable[float] = PUBLISHED_DEVIATION,
        *,
        ignore_black: bool = False,
    ) -> None:
        super().__init__(mean, deviation, ignore_black=ignore_black)

    def planes(self, image: Pixels) -> tuple[Planes, Planes]:
        """Return log LMS as planes, shape (3, pixels), and a spare array of that shape."""
        rgb, lms = workspace(image.shape[0] * image.shape[1])
        load_planes(image, rgb)
        # Pure black has no logarithm; one grey level, 1/255, is the floor.
        np.maximum(rgb, 1.0, out=rgb)
        np.matmul((RGB_TO_LMS / 255).astype(np.float32), rgb, out=lms)
        np.log(lms, out=lms)
        return lms, rgb

    def image_of(self, planes: Planes, spare: Planes, shape: tuple[int, ...]) -> Pixels:
        """Return the image of log LMS."""
        # A lone bright pixel in a flat image can land far out; exp must not overflow there.
        np.minimum(planes, MAX_LOG, out=planes)
        np.exp(planes, out=planes)
        rgb = np.matmul((LMS_TO_RGB * 255).astype(np.float32), planes, out=spare)
        return interleave(rgb, shape)
