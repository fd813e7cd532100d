"""Telling masks from photographs: they lie beside the images in many public datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from hemashift.errors import ImageError
from hemashift.images.decode import Pixels, read_image

# Background, cytoplasm, nucleus, and a few more; a photograph has tens of levels, even without
# colour.
MOST_LEVELS = 8


def read_cell(path: str | Path) -> Pixels:
    """Read the photograph of a cell, as `read_image` does, and refuse a mask.

    Args:
        path: The image file.

    Returns:
        `uint8` array of shape (height, width, 3).

    Raises:
        ImageError: As for `read_image`; or the image is a mask.
    """
    pixels = read_image(path)
    if levels := mask_levels(pixels):
        raise ImageError(
            "this is a mask, not a photograph",
            expected="the image of a cell",
            found=f"{levels} levels of grey and no colour",
            where=path,
            hint="move masks out of the folder",
        )
    return pixels


def mask_levels(pixels: Pixels) -> int:
    """Return how many levels of grey a mask has, or 0 where an image is no mask.

    A mask has no colour and two to eight levels of grey. An image all of one level is none: an
    empty frame may look like that.

    Args:
        pixels: `uint8` array of shape (height, width, 3).

    Examples:
        >>> nucleus = np.zeros((4, 4, 3), np.uint8)
        >>> nucleus[1:3, 1:3] = 255
        >>> mask_levels(nucleus)
        2
        >>> nucleus[0, 0, 0] = 80  # a red pixel
        >>> mask_levels(nucleus)
        0
    """
    red = pixels[..., :1]
    # Most photographs are told by a few of their pixels.
    if (pixels[::8, ::8] != red[::8, ::8]).any() or (pixels != red).any():
        return 0
    levels = int(np.count_nonzero(np.bincount(red.ravel(), minlength=256)))
    return levels if 2 <= levels <= MOST_LEVELS else 0
