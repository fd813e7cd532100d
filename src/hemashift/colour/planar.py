"""Moving pixels between an image and planes, the layout in which numpy is fast."""

from __future__ import annotations

import threading
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.float32]
Float = npt.NDArray[np.float64]

# Larger images get memory of their own, so that one of them does not occupy it for ever.
KEPT_PIXELS = 512 * 512

# Below this in every channel is no stain but the surroundings of a rotated or masked image.
BLACK = 16

_kept = threading.local()


def workspace(pixels: int) -> tuple[Planes, Planes]:
    """Return two arrays to compute in, the same ones at every call of a thread.

    Fresh memory of this size is handed out by the system page by page, which takes longer
    than the arithmetic. The contents are valid until the thread's next call.

    Args:
        pixels: Number of pixels.

    Returns:
        Two `float32` arrays, (3, pixels), with undefined contents.
    """
    if pixels > KEPT_PIXELS:
        return np.empty((3, pixels), np.float32), np.empty((3, pixels), np.float32)
    kept: Planes | None = getattr(_kept, "planes", None)
    if kept is None or kept.shape[1] < 3 * pixels:
        kept = _kept.planes = np.empty((2, 3 * pixels), np.float32)
    first, second = kept[:, : 3 * pixels]
    return first.reshape(3, pixels), second.reshape(3, pixels)


def load_planes(image: Pixels, out: Planes) -> None:
    """Write an image's channels one after the other.

    Args:
        image: `uint8`, (height, width, 3).
        out: `float32`, (3, height * width); filled with values 0 to 255.
    """
    flat = image.reshape(-1, 3)
    # Channel by channel is three times as fast as transposing at once.
    for channel in range(3):
        out[channel] = flat[:, channel]


def interleave(values: Planes, shape: tuple[int, ...]) -> Pixels:
    """Round planes to whole grey levels, clip them to 0 to 255 and make an image of them.

    Args:
        values: `float32`, (3, pixels); changed in place.
        shape: Shape of the image, (height, width, 3).

    Returns:
        `uint8` of that shape.
    """
    values += np.float32(0.5)
    np.clip(values, 0, 255, out=values)
    return store((plane.astype(np.uint8) for plane in values), shape)


def store(channels: Iterable[npt.NDArray[np.uint8]], shape: tuple[int, ...]) -> Pixels:
    """Make an image of its channels.

    Args:
        channels: Three `uint8` arrays, (pixels,).
        shape: Shape of the image, (height, width, 3).

    Returns:
        `uint8` of that shape.
    """
    result = np.empty(shape, np.uint8)
    flat = result.reshape(-1, 3)
    for channel, values in enumerate(channels):
        flat[:, channel] = values
    return result


def not_black(image: Pixels) -> npt.NDArray[np.bool_]:
    """Return which pixels are image and not black surroundings.

    Args:
        image: `uint8`, (height, width, 3).

    Returns:
        bool, (height * width,).
    """
    flat = image.reshape(-1, 3)
    lit: npt.NDArray[np.bool_] = (flat[:, 0] | flat[:, 1] | flat[:, 2]) >= BLACK
    return lit


def moments(values: Planes, counted: npt.NDArray[np.bool_] | None = None) -> tuple[Float, Float]:
    """Centre planes in place; return their mean and covariance.

    Args:
        values: `float32`, (3, pixels); the mean is subtracted from them.
        counted: Which pixels the statistics are taken from, (pixels,); all, where it is None or
            names none.

    Returns:
        The mean, shape (3,), and the covariance, shape (3, 3), of the pixels.
    """
    part = values
    if counted is not None and counted.any() and not counted.all():
        part = np.compress(counted, values, axis=1)
    mean = part.mean(axis=1, keepdims=True)
    values -= mean
    if part is not values:
        part -= mean
    covariance = np.empty((3, 3))
    # Six dot products: on three rows they are several times as fast as one matrix product.
    for row in range(3):
        for column in range(row, 3):
            product = np.dot(part[row], part[column]) / part.shape[1]
            covariance[row, column] = covariance[column, row] = product
    return mean[:, 0].astype(np.float64), covariance
