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


def vector(values: Iterable[float], what: str, *, positive: bool = False, length: int = 3) -> Float:
    """Check a transform's parameter that is a row of numbers.

    Args:
        values: Finite numbers.
        what: What they are, for the message.
        positive: Whether they must be above zero.
        length: How many there must be.

    Returns:
        `float64`, shape (length,).

    Raises:
        ModelFileError: They are not that many finite numbers, or not positive.
    """
    return _numbers(values, (length,), what, positive=positive)


def matrix(values: Iterable[Iterable[float]], what: str, *, rows: int) -> Float:
    """Check a transform's parameter that is a matrix of three columns, red, green, blue.

    Args:
        values: Rows of three finite numbers; no row may be all zero.
        what: What they are, for the message.
        rows: How many rows there must be.

    Returns:
        `float64`, shape (rows, 3).

    Raises:
        ModelFileError: It is not such a matrix.
    """
    return _numbers(values, (rows, 3), what)


def _numbers(
    values: Iterable[Any], shape: tuple[int, ...], what: str, *, positive: bool = False
) -> Float:
    try:
        result = np.array(list(values), dtype=np.float64)
    except (TypeError, ValueError):
        result = np.empty(0)
    right = result.shape == shape and bool(np.isfinite(result).all())
    if right and len(shape) == 2:
        right = bool(result.any(axis=1).all())
    if not right or (positive and result.min() <= 0):
        raise ModelFileError(
            f"the {what} of the colour transform is not usable",
            expected=f"{' x '.join(map(str, shape))} {'positive ' if positive else ''}numbers",
            found=str(values),
            hint="fit the transform again on reference images",
        )
    return result


def check_parameters(
    values: dict[str, Any], name: str, required: set[str], optional: set[str] | None = None
) -> None:
    """Check that a dict holds a transform's name and its parameters, and nothing else.

    Raises:
        ModelFileError: Something is missing, unknown, or meant for another transform.
    """
    least = {"name", *required}
    most = least | (optional or set())
    if not least <= set(values) <= most or values["name"] != name:
        raise ModelFileError(
            f"these are not the parameters of the colour transform {name!r}",
            expected=", ".join(sorted(most)),
            found=", ".join(sorted(map(str, values))) + f"; name {values.get('name')!r}",
        )


def mean_of(statistics: Iterable[tuple[Float, ...]]) -> tuple[Float, ...]:
    """Average the statistics of reference images.

    Args:
        statistics: The same arrays for each image, such as (mean, deviation).

    Returns:
        The averaged arrays.

    Raises:
        ImageError: There is no image.
    """
    found = list(statistics)
    if not found:
        raise ImageError(
            "a colour transform cannot be fitted without an image",
            expected="at least one reference image with stained cells",
            found="none",
            hint="give a few typical images of your own stain",
        )
    return tuple(np.mean(each, axis=0) for each in zip(*found, strict=True))
