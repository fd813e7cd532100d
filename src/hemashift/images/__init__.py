"""Images: reading them safely, cutting the cell out, bringing it to size and scale."""

from hemashift.images.crop import box_around_centre, box_around_mask, crop, resize
from hemashift.images.decode import Pixels, read_image
from hemashift.images.limits import DEFAULT_LIMITS, Limits

__all__ = [
    "DEFAULT_LIMITS",
    "Limits",
    "Pixels",
    "box_around_centre",
    "box_around_mask",
    "crop",
    "read_image",
    "resize",
]
