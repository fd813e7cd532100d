"""Colour transfer in CIELAB.

The same transfer of mean and deviation as Reinhard et al. 2001, in the CIE 1976 L*a*b* space
(CIE 15:2004; sRGB of IEC 61966-2-1, white point D65) in place of log l-alpha-beta. CIELAB does not
stretch dark pixels as a logarithm does.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hemashift.colour.base import Float, Pixels
from hemashift.colour.planar import Planes, store, workspace
from hemashift.colour.transfer import StatisticsTransfer

# Linear sRGB to XYZ, each row divided by the white point's X, Y or Z, so that white is (1, 1, 1).
_RGB_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
RGB_TO_RELATIVE_XYZ: Float = np.asarray((_RGB_TO_XYZ.T / _RGB_TO_XYZ.sum(axis=1)).T, float)
RELATIVE_XYZ_TO_RGB: Float = np.asarray(np.linalg.inv(RGB_TO_RELATIVE_XYZ), float)
# L* = 116 f(Y) - 16, a* = 500 (f(X) - f(Y)), b* = 200 (f(Y) - f(Z)).
ROOT_TO_LAB: Float = np.array([[0.0, 116.0, 0.0], [500.0, -500.0, 0.0], [0.0, 200.0, -200.0]])
LAB_OFFSET: Float = np.array([-16.0, 0.0, 0.0])
LAB_TO_ROOT: Float = np.asarray(np.linalg.inv(ROOT_TO_LAB), float)

# Below DELTA ** 3 the cube root gives way to a straight line.
DELTA = 6 / 29
# L*, a*, b* differ by more than this from one grey level to the next.
FLAT = 0.02
# Levels of the table from linear light back to sRGB: a third of a grey level where it is steepest.
LEVELS = 1 << 14

# Mean over 1,200 images of the Barcelona dataset (200 a class) of each image's own statistics.
BARCELONA_MEAN = (79.351, 10.949, 6.933)
BARCELONA_DEVIATION = (16.029, 9.315, 14.605)


def _linear_of_srgb(values: Float) -> Float:
    linear: Float = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return linear


def _srgb_of_linear(values: Float) -> Float:
    srgb: Float = np.where(
        values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055
    )
    return srgb


_LINEAR = _linear_of_srgb(np.arange(256) / 255).astype(np.float32)
_GREY = np.rint(_srgb_of_linear(np.arange(LEVELS) / (LEVELS - 1)) * 255).astype(np.uint8)


class ReinhardLab(StatisticsTransfer):
    """Gives every image the same mean and deviation in CIELAB.

    CIELAB is affine in the cube roots of relative XYZ, so shift and scale fold into one
    3 x 3 matrix between root and cube.

    Args:
        mean: Target means of L*, a*, b*; the default is that of the Barcelona dataset.
        deviation: Target standard deviations of L*, a*, b*.
        ignore_black: Leave black pixels, the surroundings of a rotated or masked image, out of
            the image's own statistics.

    Attributes:
        name: "reinhard-lab".
        mean: Target means, shape (3,).
        deviation: Target standard deviations, shape (3,).
        ignore_black: Whether black pixels are left out of the statistics.

    Examples:
        >>> image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
        >>> ReinhardLab()(image).shape
        (8, 8, 3)
    """

    name = "reinhard-lab"
    forth, back, offset = ROOT_TO_LAB, LAB_TO_ROOT, LAB_OFFSET
    flat = FLAT

    def __init__(
        self,
        mean: Iterable[float] = BARCELONA_MEAN,
        deviation: Iterable[float] = BARCELONA_DEVIATION,
        *,
        ignore_black: bool = False,
    ) -> None:
        super().__init__(mean, deviation, ignore_black=ignore_black)

    def planes(self, image: Pixels) -> tuple[Planes, Planes]:
        """Return f(X), f(Y), f(Z) as planes, shape (3, pixels), and a spare array of that shape."""
        return _roots(image)

    def image_of(self, planes: Planes, spare: Planes, shape: tuple[int, ...]) -> Pixels:
        """Return the image of f(X), f(Y), f(Z)."""
        relative = _cubes(planes, out=spare)
        scale = (RELATIVE_XYZ_TO_RGB * (LEVELS - 1)).astype(np.float32)
        linear = np.matmul(scale, relative, planes)
        linear += np.float32(0.5)
        np.clip(linear, 0, LEVELS - 1, out=linear)
        return store((_GREY[plane.astype(np.uint16)] for plane in linear), shape)


def _roots(image: Pixels) -> tuple[Planes, Planes]:
    """Return f(X), f(Y), f(Z) as planes, shape (3, pixels), and a spare array of that shape."""
    rgb, relative = workspace(image.shape[0] * image.shape[1])
    flat = image.reshape(-1, 3)
    for channel in range(3):
        np.take(_LINEAR, flat[:, channel], out=rgb[channel])
    np.matmul(RGB_TO_RELATIVE_XYZ.astype(np.float32), rgb, out=relative)
    # By way of logarithm and exponential, which numpy computes several times as fast as cbrt.
    roots = rgb
    np.maximum(relative, DELTA**3, out=roots)
    np.log(roots, out=roots)
    roots *= np.float32(1 / 3)
    np.exp(roots, out=roots)
    dark: npt.NDArray[np.bool_] = relative < DELTA**3
    if dark.any():
        roots[dark] = relative[dark] / (3 * DELTA**2) + 4 / 29
    return roots, relative


def _cubes(roots: Planes, out: Planes) -> Planes:
    """Undo `_roots`: relative XYZ from f(X), f(Y), f(Z)."""
    np.multiply(roots, roots, out=out)
    out *= roots
    dark: npt.NDArray[np.bool_] = roots < DELTA
    if dark.any():
        out[dark] = (roots[dark] - 4 / 29) * (3 * DELTA**2)
    return out
