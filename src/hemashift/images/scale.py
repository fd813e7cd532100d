"""Bringing the cell to a standard size in the frame, so that magnification matters less.

In one laboratory's images a cell fills a quarter of the width, in another's four fifths. The
nucleus is found by its stain, and the box to cut out is chosen so that the nucleus fills a
standard part of it. Where no plausible nucleus is found, the largest centred square is taken.
"""

from __future__ import annotations

from hemashift.images.crop import (
    INPUT_SIZE,
    Border,
    PixelBox,
    box_around_centre,
    crop,
    resize,
)
from hemashift.images.decode import Pixels
from hemashift.images.nucleus import locate_nucleus

# Part of the frame's side that the nucleus fills. A nucleus takes about three quarters of the
# cell's diameter, so the cell then fills about two thirds of the frame.
NUCLEUS_FRACTION = 0.5
# Smallest and largest side of the box, relative to the shorter side of the image.
BOX_RANGE = (0.25, 1.2)
# Part of the box that may lie beyond the image on one side, before it is pushed back inside.
OVERHANG = 0.15


def standard_box(
    image: Pixels,
    fraction: float = NUCLEUS_FRACTION,
    box_range: tuple[float, float] = BOX_RANGE,
) -> PixelBox:
    """Return the square box in which the nucleus has the standard size.

    The size of the nucleus is its `spread`, which for a nucleus of several lobes follows the
    size of the cell more closely than its area does.

    Args:
        image: `uint8`, (height, width, 3), RGB; one cell.
        fraction: Part of the box's side that the nucleus shall fill, above 0 and below 1.
        box_range: Smallest and largest side of the box, relative to the image's shorter side.

    Returns:
        (x_min, y_min, x_max, y_max); it may reach a little beyond the image. The largest centred
        square of the image where no plausible nucleus is found.

    Examples:
        >>> import numpy as np
        >>> image = np.full((100, 100, 3), 240, np.uint8)
        >>> image[40:60, 40:60] = (90, 40, 140)
        >>> x_min, y_min, x_max, y_max = standard_box(image)
        >>> 38 <= x_max - x_min <= 48
        True
    """
    if not 0 < fraction < 1:
        raise ValueError(f"fraction must be between 0 and 1, not {fraction}")
    height, width = image.shape[:2]
    shorter = min(height, width)
    nucleus = locate_nucleus(image)
    if nucleus is None:
        return box_around_centre(width / 2, height / 2, shorter)
    smallest, largest = (part * shorter for part in box_range)
    side = max(1, round(min(max(nucleus.spread / fraction, smallest), largest)))
    x = _push_inside(nucleus.x, side, width)
    y = _push_inside(nucleus.y, side, height)
    return box_around_centre(x, y, side)


def _push_inside(centre: float, side: int, length: int) -> float:
    """Move a box's centre so that it overhangs the image no more than it has to."""
    overhang = max(OVERHANG * side, (side - length) / 2)
    return min(max(centre, side / 2 - overhang), length - side / 2 + overhang)


def normalise_scale(
    image: Pixels,
    size: int = INPUT_SIZE,
    *,
    fraction: float = NUCLEUS_FRACTION,
    box_range: tuple[float, float] = BOX_RANGE,
    border: Border = "edge",
) -> Pixels:
    """Cut the cell out at the standard scale and resize it, in one step.

    Args:
        image: `uint8`, (height, width, 3), RGB; one cell.
        size: Side of the result in pixels.
        fraction: Part of the frame's side that the nucleus shall fill.
        box_range: As for `standard_box`.
        border: What lies beyond the image, as for `crop`.

    Returns:
        `uint8`, (size, size, 3).

    Examples:
        >>> import numpy as np
        >>> normalise_scale(np.full((60, 80, 3), 240, np.uint8), 32).shape
        (32, 32, 3)
    """
    return resize(crop(image, standard_box(image, fraction, box_range), border), size)
