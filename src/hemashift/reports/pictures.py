"""Small pictures of cells for a page."""

from __future__ import annotations

from pathlib import Path

from hemashift.cells import Box
from hemashift.errors import ImageError
from hemashift.images import Pixels, crop, read_image, resize


def read_picture(path: str | Path, side: int, box: Box | None = None) -> Pixels | None:
    """Read a cell's picture for a page.

    Args:
        path: The image.
        side: Side of the square picture in pixels; the longer side of the cell fills it.
        box: Where the cell is in the image; None for the whole image.

    Returns:
        `uint8`, (side, side, 3), or None where the image is not there or cannot be read.

    Raises:
        ImageError: The box is empty, or does not touch the image.
    """
    try:
        image = read_image(path)
    except ImageError:
        return None
    return resize(crop(image, box) if box else image, side, fit="pad")
