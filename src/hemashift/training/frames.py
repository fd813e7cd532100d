"""What of a cell's image goes into training: what classification sees, and some of what is around.

Both are made from one `Preprocessing`, so that training and classification cannot drift apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from hemashift import colour
from hemashift.images import crop, resize
from hemashift.images.crop import PixelBox
from hemashift.images.scale import BOX_RANGE, NUCLEUS_FRACTION, standard_box
from hemashift.model.preprocessing import Pixels, Preprocessing
from hemashift.training.recipe import Recipe

# Width of the stored image relative to the frame, where the frame is cut around the nucleus.
MARGIN = 1.4
# Width of the stored image relative to the network's input, so that zooming in keeps real detail.
DETAIL = 10 / 7


def preprocessing_of(recipe: Recipe) -> Preprocessing:
    """Return how images are prepared for the model that a recipe trains; goes on its card.

    Examples:
        >>> from hemashift.training.recipe import recipe
        >>> preprocessing_of(recipe("paper")).colour["name"]
        'reinhard'
        >>> preprocessing_of(recipe("robust")).scale["fraction"]
        0.5
    """
    # The numbers are written out, so that a later change of the defaults leaves old models alone.
    scale: dict[str, Any] = {
        "size": recipe.size,
        "fraction": NUCLEUS_FRACTION,
        "box_range": list(BOX_RANGE),
        "border": "edge",
    }
    return Preprocessing(
        size=recipe.size,
        scale=scale if recipe.scale else None,
        colour=colour.create(recipe.colour).to_dict(),
    )


@dataclass(frozen=True)
class WideFrame:
    """Cuts out the frame that classification takes, wider by a margin, and leaves its colour.

    Called with an image and a box as `Preprocessing` is. The middle `1 / margin` of the result is
    what `Preprocessing` cuts out; there is a margin only where it cuts around the nucleus, since
    there is nothing to be had around a whole image.

    Attributes:
        preprocessing: How classification prepares images.
        size: Side of the result in pixels.

    Examples:
        >>> wide = WideFrame(Preprocessing(size=32, scale={}), size=50)
        >>> wide(np.full((60, 80, 3), 240, np.uint8)).shape, wide.margin
        ((50, 50, 3), 1.4)
    """

    preprocessing: Preprocessing
    size: int

    @classmethod
    def of(cls, recipe: Recipe) -> WideFrame:
        """Return the frame that a recipe trains on."""
        return cls(preprocessing_of(recipe), round(recipe.size * DETAIL))

    @property
    def margin(self) -> float:
        """Width of the result relative to that of the frame."""
        return 1.0 if self.preprocessing.scale is None else MARGIN

    def __call__(self, image: Pixels, box: PixelBox | None = None) -> Pixels:
        """Return the wide frame of one cell, uint8 (size, size, 3).

        Args:
            image: uint8 (H, W, 3).
            box: The cell in it, or None for the whole image.

        Raises:
            ImageError: The box is empty or outside the image.
        """
        settings = self.preprocessing
        if box is not None:
            image = crop(image, box, border=settings.border)
        if settings.scale is None:
            return resize(image, self.size, fit=settings.fit)
        rule: dict[str, Any] = dict(settings.scale)
        rule.pop("size", None)
        border = rule.pop("border", "edge")
        x_min, y_min, x_max, y_max = standard_box(image, **rule)
        wider = (x_max - x_min) * (self.margin - 1) / 2
        whole = math.ceil(wider)
        cut = crop(image, (x_min - whole, y_min - whole, x_max + whole, y_max + whole), border)
        # The margin is met to a fraction of a pixel, or small images would be at another scale.
        rest = whole - wider
        edges = (rest, rest, cut.shape[1] - rest, cut.shape[0] - rest)
        side = (self.size, self.size)
        return np.array(Image.fromarray(cut).resize(side, Image.Resampling.BILINEAR, box=edges))
