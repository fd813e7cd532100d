"""A folder a class, or a plain folder of images without labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.folders import images_below, images_in, relative, subfolders, wrapped
from hemashift.datasets.formats import FormatReader
from hemashift.taxonomy import default_taxonomy

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

    Images directly in the folder have no label. Folders that hold nothing but one folder are
    passed through, unless the name of one is a cell type.
    """

    name = "imagefolder"
    title = "folder a class"
    layout = "<class>/<image>, or train|val|test/<class>/<image>, or images alone"

    def recognises(self, folder: Path) -> bool:
        """Tell whether there is any image at or below the folder."""
        return folder.is_dir() and next(images_below(folder), None) is not None

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells, each a group of its own."""
        place = _unwrapped(folder)
        inner = subfolders(place)
        if inner and all(name.lower() in _PARTS for name in inner):
            for part, below in inner.items():
                yield from self._labelled(_unwrapped(below), folder, part)
        else:
            yield from self._labelled(place, folder, None)

    def _labelled(self, place: Path, folder: Path, subset: str | None) -> Iterator[Cell]:
        for image in images_in(place):
            yield Cell(relative(image, folder), subset=subset)
        for label, below in subfolders(place).items():
            for image in images_below(below):
                yield Cell(relative(image, folder), label, subset=subset)


def _unwrapped(folder: Path) -> Path:
    """Return the folder that has the classes, or the parts, of one that may only wrap it."""
    place = folder
    for inner in wrapped(folder):
        if inner == folder:
            continue
        # Archives unpack a part into a folder of its own name, too.
        is_part = inner.name.lower() in _PARTS and inner.name != place.name
        if is_part or _is_class(inner):
            break
        place = inner
    return place


def _is_class(folder: Path) -> bool:
    return not subfolders(folder) or default_taxonomy().resolve(folder.name) is not None
