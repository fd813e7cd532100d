"""The contract that every colour transform keeps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from hemashift.errors import ImageError, ModelFileError

Pixels = npt.NDArray[np.uint8]
Float = npt.NDArray[np.float64]


@runtime_checkable
class ColourTransform(Protocol):
    """Brings the colours of one image to a standard.

    A transform never fails on an image: black, white, flat and one-pixel images give an image.

    Attributes:
        name: The name under which `create` makes the transform.
    """

    name: str

    def fit(self, images: Iterable[Pixels]) -> Self:
        """Take the standard from reference images instead of the built-in one.

        Args:
            images: `uint8` arrays, (height, width, 3), RGB; at least one.

        Returns:
            The transform itself, changed.
        """
        ...

    def __call__(self, image: Pixels) -> Pixels:
        """Transform one image.

        Args:
            image: `uint8`, (height, width, 3), RGB.

        Returns:
            A new `uint8` array of the same shape.
        """
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the name and the parameters as JSON values; `from_dict` reads them back."""
        ...

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Make the transform that `to_dict` described."""
        ...


def vector(values: Iterable[float], what: str, *, positive: bool = False) -> Float:
    """Check three numbers, one a channel.

    Args:
        values: Three finite numbers.
        what: What they are, for the message.
        positive: Whether they must be above zero.

    Returns:
        `float64`, shape (3,).

    Raises:
        ModelFileError: They are not three finite numbers, or not positive.
    """
    try:
        result = np.array(list(values), dtype=np.float64)
    except (TypeError, ValueError):
        result = np.empty(0)
    if result.shape != (3,) or not np.isfinite(result).all() or (positive and result.min() <= 0):
        raise ModelFileError(
            f"the {what} of the colour transform is not usable",
            expected=f"three {'positive ' if positive else ''}numbers, one a channel",
            found=str(values),
            hint="fit the transform again on reference images",
        )
    return result


def check_parameters(values: dict[str, Any], name: str, parameters: set[str]) -> None:
    """Check that a dict holds a transform's name and exactly its parameters.

    Raises:
        ModelFileError: Something is missing, unknown, or meant for another transform.
    """
    expected = {"name", *parameters}
    if set(values) != expected or values["name"] != name:
        raise ModelFileError(
            f"these are not the parameters of the colour transform {name!r}",
            expected=", ".join(sorted(expected)),
            found=", ".join(sorted(map(str, values))) + f"; name {values.get('name')!r}",
        )


def mean_of(statistics: Iterable[tuple[Float, Float]]) -> tuple[Float, Float]:
    """Average the statistics of reference images.

    Args:
        statistics: One pair (mean, deviation) an image.

    Returns:
        The averaged pair.

    Raises:
        ImageError: There is no image.
    """
    pairs = list(statistics)
    if not pairs:
        raise ImageError(
            "a colour transform cannot be fitted without an image",
            expected="at least one reference image",
            found="none",
            hint="give a few typical images of your own stain",
        )
    means, deviations = zip(*pairs, strict=True)
    return np.mean(means, axis=0), np.mean(deviations, axis=0)
