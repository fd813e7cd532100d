"""No colour transform at all, behind the same contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Self

from hemashift.colour.base import Pixels, check_parameters


class Identity:
    """Leaves every image as it is.

    Examples:
        >>> import numpy as np
        >>> Identity()(np.full((1, 1, 3), 7, np.uint8)).tolist()
        [[[7, 7, 7]]]
    """

    name = "none"

    def fit(self, images: Iterable[Pixels]) -> Self:
        """Return itself: there is nothing to fit."""
        return self

    def __call__(self, image: Pixels) -> Pixels:
        """Return a copy of the image, `uint8`, (height, width, 3)."""
        return image.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the name."""
        return {"name": self.name}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the transform that `to_dict` described."""
        check_parameters(values, cls.name, set())
        return cls()
