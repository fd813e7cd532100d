"""How large a file or image may be before it is refused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits against oversized and malicious files, set per call and never globally.

    Attributes:
        max_pixels: Largest width times height of an image, checked before decoding.
        max_bytes: Largest file, or unpacked member of a zip file, in bytes.

    Examples:
        >>> Limits(max_pixels=10_000).max_pixels
        10000
    """

    max_pixels: int = 60_000_000
    max_bytes: int = 300_000_000


DEFAULT_LIMITS = Limits()
