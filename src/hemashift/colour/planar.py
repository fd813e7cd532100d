"""Moving pixels between an image and planes, the layout in which numpy is fast."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Planes = npt.NDArray[np.float32]
Float = npt.NDArray[np.float64]


def planes(image: Pixels) -> Planes:
    """Return an image's channels one after the other.

    Args:
        image: `uint8`, (height, width, 3).

    Returns:
        `float32`, (3, height * width), values 0 to 255.
    """
    flat = image.reshape(-1, 3)
    result = np.empty((3, len(flat)), np.float32)
    # Channel by channel is three times as fast as transposing at once.
    for channel in range(3):
        result[channel] = flat[:, channel]
    return result


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
    grey = values.astype(np.uint8)
    result = np.empty((grey.shape[1], 3), np.uint8)
    for channel in range(3):
        result[:, channel] = grey[channel]
    return result.reshape(shape)


def moments(values: Planes) -> tuple[Float, Float]:
    """Centre planes in place; return their mean and covariance.

    Args:
        values: `float32`, (3, pixels); each plane has mean 0 afterwards.

    Returns:
        The mean, shape (3,), and the covariance, shape (3, 3), of the pixels.
    """
    mean = values.mean(axis=1, keepdims=True)
    values -= mean
    covariance = np.empty((3, 3))
    # Six dot products: on three rows they are several times as fast as one matrix product.
    for row in range(3):
        for column in range(row, 3):
            product = np.dot(values[row], values[column]) / values.shape[1]
            covariance[row, column] = covariance[column, row] = product
    return mean[:, 0].astype(np.float64), covariance
