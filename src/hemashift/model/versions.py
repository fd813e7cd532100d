"""Versions of the software that made a model, for its card."""

from __future__ import annotations

import platform
from importlib import metadata

PACKAGES = ("hemashift", "numpy", "scikit-learn", "openvino", "torch", "timm")


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that matter, where installed.

    Examples:
        >>> "numpy" in versions()
        True
    """
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
