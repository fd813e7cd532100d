"""Colour: bringing the stain and light of any laboratory to one standard."""

from __future__ import annotations

from typing import Any

from hemashift.colour.base import ColourTransform
from hemashift.colour.identity import Identity
from hemashift.colour.macenko import Macenko
from hemashift.colour.reinhard import Reinhard
from hemashift.colour.reinhard_lab import ReinhardLab
from hemashift.errors import ModelFileError

_TRANSFORMS: dict[str, type[ColourTransform]] = {
    Reinhard.name: Reinhard,
    ReinhardLab.name: ReinhardLab,
    Macenko.name: Macenko,
    Identity.name: Identity,
}

TRANSFORMS: tuple[str, ...] = tuple(_TRANSFORMS)


def create(name: str) -> ColourTransform:
    """Make a colour transform with its built-in standard.

    Args:
        name: One of `TRANSFORMS`.

    Returns:
        The transform.

    Raises:
        ModelFileError: There is no transform of that name.

    Examples:
        >>> create("reinhard").name
        'reinhard'
    """
    return _find(name)()


def from_dict(values: dict[str, Any]) -> ColourTransform:
    """Make the colour transform that `to_dict` described.

    Args:
        values: What `to_dict` returned, perhaps by way of JSON.

    Returns:
        The transform.

    Raises:
        ModelFileError: The name or a parameter is not known.

    Examples:
        >>> from_dict({"name": "none"}).name
        'none'
    """
    return _find(values.get("name")).from_dict(values)


def _find(name: object) -> type[ColourTransform]:
    if not isinstance(name, str) or name not in _TRANSFORMS:
        raise ModelFileError(
            "there is no colour transform of this name",
            expected=", ".join(TRANSFORMS),
            found=repr(name),
        )
    return _TRANSFORMS[name]


__all__ = [
    "TRANSFORMS",
    "ColourTransform",
    "Identity",
    "Macenko",
    "Reinhard",
    "ReinhardLab",
    "create",
    "from_dict",
]
