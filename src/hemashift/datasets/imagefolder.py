"""A folder a class, or a plain folder of images without labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.folders import images_below, images_in, relative, subfolders
from hemashift.datasets.formats import FormatReader

_PARTS = {
    "train",
    "training",
    "val",
    "valid",
    "validation",
    "test",
    "testing",
    "trainset",
    "testset",
}


class ImageFolder(FormatReader):
    """One folder a class with its images at any depth, optionally under train, val and test.

    Images directly in the folder have no label.
    """

    name = "imagefolder"
    title = "folder a class"
    layout = "<class>/<image>, or train|val|test/<class>/<image>, or images alone"

    def recognises(self, folder: Path) -> bool:
        """Tell whether there is any image at or below the folder."""
        return folder.is_dir() and next(images_below(folder), None) is not None

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells, each a group of its own."""
        inner = subfolders(folder)
        if inner and all(name.lower() in _PARTS for name in inner):
            for part, below in inner.items():
                yield from self._labelled(below, folder, part)
        else:
            yield from self._labelled(folder, folder, None)

    def _labelled(self, place: Path, folder: Path, subset: str | None) -> Iterator[Cell]:
        for image in images_in(place):
            yield Cell(relative(image, folder), subset=subset)
        for label, below in subfolders(place).items():
            for image in images_below(below):
                yield Cell(relative(image, folder), label, subset=subset)
