"""Images: reading them safely, cutting the cell out, bringing it to size and scale."""

from hemashift.images.crop import box_around_centre, crop, resize
from hemashift.images.decode import Pixels, read_image, read_size
from hemashift.images.limits import DEFAULT_LIMITS, Limits
from hemashift.images.listing import check_apart, check_names, list_images
from hemashift.images.masks import read_cell
from hemashift.images.nucleus import Nucleus, locate_nucleus
from hemashift.images.scale import normalise_scale, standard_box

__all__ = [
    "DEFAULT_LIMITS",
    "Limits",
    "Nucleus",
    "Pixels",
    "box_around_centre",
    "check_apart",
    "check_names",
    "crop",
    "list_images",
    "locate_nucleus",
    "normalise_scale",
    "read_cell",
    "read_image",
    "read_size",
    "resize",
    "standard_box",
]
