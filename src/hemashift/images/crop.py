"""Cutting a cell out of an image and bringing it to the size that the model takes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image

from hemashift.errors import ImageError
from hemashift.images.decode import Pixels
from hemashift.images.limits import DEFAULT_LIMITS

Border = Literal["edge", "reflect", "constant"]
Fit = Literal["stretch", "pad", "centre"]
PixelBox = tuple[int, int, int, int]

INPUT_SIZE = 224
PAD_VALUE = 255


def crop(image: Pixels, box: PixelBox, border: Border = "edge") -> Pixels:
    """Cut a box out of an image; the box may reach beyond the image.

    Args:
        image: `uint8`, (height, width, 3).
        box: (x_min, y_min, x_max, y_max) in pixels, half-open: x_max and y_max lie just outside.
        border: What lies beyond the image: "edge" repeats the nearest pixel, "reflect" mirrors
            the image, "constant" is white, the colour of an empty field.

    Returns:
        `uint8`, (y_max - y_min, x_max - x_min, 3), a copy.

    Raises:
        ImageError: The box is empty, does not touch the image at all, or reaches further beyond it
            than an image may be large.

    Examples:
        >>> image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
        >>> crop(image, (-1, 0, 1, 1))[0, :, 0]
        array([0, 0], dtype=uint8)
    """
    height, width = image.shape[:2]
    x_min, y_min, x_max, y_max = (int(value) for value in box)
    if x_max <= x_min or y_max <= y_min:
        raise ImageError(
            "the box is empty",
            expected="x_min < x_max and y_min < y_max",
            found=f"({x_min}, {y_min}, {x_max}, {y_max})",
            hint="check the order of the numbers: x_min, y_min, x_max, y_max",
        )
    if x_min >= width or y_min >= height or x_max <= 0 or y_max <= 0:
        raise ImageError(
            "the box lies outside the image",
            expected=f"a box that touches the image of {width} x {height} pixels",
            found=f"({x_min}, {y_min}, {x_max}, {y_max})",
            hint="check that the box belongs to this image and is given in pixels",
        )
    inside = image[max(y_min, 0) : min(y_max, height), max(x_min, 0) : min(x_max, width)]
    before_after = (
        (max(-y_min, 0), max(y_max - height, 0)),
        (max(-x_min, 0), max(x_max - width, 0)),
        (0, 0),
    )
    if not any(side for pair in before_after for side in pair):
        return inside.copy()
    beyond = (x_max - x_min) * (y_max - y_min) - inside.shape[0] * inside.shape[1]
    if beyond > DEFAULT_LIMITS.max_pixels:
        raise ImageError(
            "the box is too large",
            expected=f"at most {DEFAULT_LIMITS.max_pixels:,} pixels beyond the image",
            found=f"({x_min}, {y_min}, {x_max}, {y_max}), {beyond:,} pixels beyond it",
            hint="check that the box belongs to this image and is given in pixels",
        )
    if border == "constant":
        return np.pad(inside, before_after, mode="constant", constant_values=PAD_VALUE)
    if border == "reflect":
        # Mirrored without repeating the edge; a side of one pixel can only be repeated.
        return np.pad(inside, before_after, mode="symmetric")
    return np.pad(inside, before_after, mode="edge")


def box_around_centre(x: float, y: float, size: int) -> PixelBox:
    """Return the square box of a size around a point.

    Args:
        x: Column of the centre, in pixels.
        y: Row of the centre, in pixels.
        size: Side of the box in pixels.

    Returns:
        (x_min, y_min, x_max, y_max), half-open; may reach beyond the image.

    Examples:
        >>> box_around_centre(100, 40, 250)
        (-25, -85, 225, 165)
    """
    if size < 1:
        raise ValueError(f"size must be at least 1, not {size}")
    x_min = round(x - size / 2)
    y_min = round(y - size / 2)
    return (x_min, y_min, x_min + size, y_min + size)


def resize(image: Pixels, size: int = INPUT_SIZE, fit: Fit = "stretch") -> Pixels:
    """Bring an image to a square, antialiased.

    Args:
        image: `uint8`, (height, width, 3).
        size: Side of the result in pixels.
        fit: What to do with an image that is not square: "stretch" changes its proportions, as
            the paper does; "pad" repeats the edges of the shorter sides; "centre" keeps the
            middle square.

    Returns:
        `uint8`, (size, size, 3).

    Examples:
        >>> resize(np.zeros((240, 320, 3), np.uint8)).shape
        (224, 224, 3)
    """
    height, width = image.shape[:2]
    if fit != "stretch" and height != width:
        side = max(height, width) if fit == "pad" else min(height, width)
        image = crop(image, box_around_centre(width / 2, height / 2, side))
        height = width = side
    if height == width == size:
        return image.copy()
    # Pillow widens the filter when it shrinks, so no detail folds back as a false pattern.
    shrunk = Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR)
    return np.array(shrunk)
