"""What happens to an image before the network sees it; recorded in the model's card."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from hemashift.images import box_around_centre, crop, resize

if TYPE_CHECKING:
    from hemashift.colour import ColourTransform

Pixels = npt.NDArray[np.uint8]


def _no_transform() -> dict[str, JsonValue]:
    return {"name": "none"}


class Preprocessing(BaseModel):
    """Crop, scale, size and colour, in this order.

    Attributes:
        size: Side S of the square the network takes, in pixels.
        border: What lies beyond the image where a box reaches past it.
        fit: What to do with a crop that is not square.
        scale: Parameters of `hemashift.images.normalise_scale`, or None to leave the scale as
            it is.
        colour: What `ColourTransform.to_dict` returned.

    Examples:
        >>> preprocessing = Preprocessing(size=64)
        >>> preprocessing(np.zeros((30, 40, 3), np.uint8), box=(-5, 0, 20, 30)).shape
        (64, 64, 3)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(default=224, ge=32, le=1024)
    border: Literal["edge", "reflect", "constant"] = "edge"
    fit: Literal["stretch", "pad", "centre"] = "stretch"
    scale: dict[str, JsonValue] | None = None
    colour: dict[str, JsonValue] = Field(default_factory=_no_transform)

    @cached_property
    def transform(self) -> ColourTransform:
        """The colour transform, made once."""
        from hemashift.colour import from_dict

        return from_dict(self.colour)

    def __call__(self, image: Pixels, box: tuple[int, int, int, int] | None = None) -> Pixels:
        """Prepare one image.

        Args:
            image: uint8 (H, W, 3), red, green, blue.
            box: The cell as (x_min, y_min, x_max, y_max), half-open, in pixels; it may reach
                beyond the image. None takes the whole image.

        Returns:
            uint8 (S, S, 3).

        Raises:
            ImageError: The box is empty or outside the image.
        """
        if box is not None:
            image = crop(image, box, border=self.border)
        if self.scale is not None:
            from hemashift import images

            parameters: dict[str, Any] = dict(self.scale)
            image = images.normalise_scale(image, **parameters)
        # Colour comes after the size: its cost goes with the number of pixels.
        return self.transform(resize(image, size=self.size, fit=self.fit))

    def box_of(self, image: Pixels) -> tuple[int, int, int, int]:
        """Return the part of an image that the network sees, to lay on the image what it says.

        Args:
            image: uint8 (H, W, 3), given to the preprocessing without a box.

        Returns:
            (x_min, y_min, x_max, y_max), half-open, in pixels of the image; it may reach beyond
            the image.

        Examples:
            >>> Preprocessing(fit="centre").box_of(np.zeros((30, 40, 3), np.uint8))
            (5, 0, 35, 30)
        """
        height, width = image.shape[:2]
        if self.scale is not None:
            from hemashift.images import standard_box

            asked: dict[str, Any] = dict(self.scale)
            return standard_box(
                image, **{name: asked[name] for name in ("fraction", "box_range") if name in asked}
            )
        if self.fit == "stretch" or height == width:
            return 0, 0, width, height
        side = max(height, width) if self.fit == "pad" else min(height, width)
        return box_around_centre(width / 2, height / 2, side)
