"""Looking at every image of a table: which cannot be read, which are there twice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hemashift.cells import CellTable
from hemashift.errors import HemashiftError


@dataclass(frozen=True)
class ImageInspection:
    """What was found among the images of a table.

    Attributes:
        read: Number of images that could be read.
        unreadable: Reason by path, as in the table, of those that could not.
        duplicates: Sets of two or more paths with exactly the same pixels.
        contradictions: Those of the duplicates whose cells have different labels.
    """

    read: int
    unreadable: dict[str, str] = field(default_factory=dict)
    duplicates: list[tuple[str, ...]] = field(default_factory=list)
    contradictions: list[tuple[str, ...]] = field(default_factory=list)


def inspect_images(
    table: CellTable,
    read: Callable[[Path], NDArray[np.uint8]],
    progress: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> ImageInspection:
    """Read every image once and compare their pixels.

    Args:
        table: The cells.
        read: Reads one image, as `hemashift.images.read_image`; raises a `HemashiftError` for
            one that it cannot.
        progress: Wraps the paths, to show how far it is.

    Returns:
        The findings; paths are written as in the table.
    """
    frame = table.frame
    places = dict(zip(frame["path"], table.paths(), strict=True))
    labels: dict[str, frozenset[str]] = {
        str(name): frozenset(column.dropna()) for name, column in frame.groupby("path")["label"]
    }
    unreadable: dict[str, str] = {}
    same: dict[bytes, list[str]] = {}
    for name in progress(list(places)):
        try:
            pixels = read(places[name])
        except HemashiftError as error:
            unreadable[name] = error.message
            continue
        # Pixels, not file bytes: the same picture in another container is a duplicate, too.
        digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).digest()
        same.setdefault(digest, []).append(name)
    duplicates = [tuple(names) for names in same.values() if len(names) > 1]
    return ImageInspection(
        read=len(places) - len(unreadable),
        unreadable=unreadable,
        duplicates=duplicates,
        contradictions=[names for names in duplicates if len({labels[name] for name in names}) > 1],
    )
