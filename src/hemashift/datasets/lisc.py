"""LISC: fields of normal peripheral blood with masks by an expert (Rezatofighi 2011)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import ndimage

from hemashift.cells import Box, Cell
from hemashift.datasets.base import PublishedDataset
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import images_in, relative, subfolders
from hemashift.errors import DatasetError
from hemashift.images import read_image, read_size

_FOLDERS = ("baso", "eosi", "lymp", "mixt", "mono", "neut")
_WINDOW = 250  # pixels; the crop of the paper


class Lisc(PublishedDataset):
    """Fields of 720x576; each cell is the 250x250 window around the expert's mask.

    Fields in `mixt` hold cells of several kinds under one label, so they are outside.
    """

    name = "lisc"
    title = "LISC"
    licence = "not stated"
    citation = "Rezatofighi and Soltanian-Zadeh 2011, Comput Med Imaging Graph 35:333-343"
    url = "http://users.cecs.anu.edu.au/~hrezatofighi/Data/Leukocyte%20Data.htm"
    layout = (
        "Main Dataset/{Baso,eosi,lymp,mixt,mono,neut}/<n>.bmp beside "
        "Ground Truth Segmentation/<class>/areaforexpert1/<n>_expert.bmp"
    )
    published_counts = PUBLISHED_COUNTS["lisc"]

    def recognises(self, folder: Path) -> bool:
        """Tell whether the fields or the masks are there; `cells` says which of them lacks."""
        return not {"Main Dataset", "Ground Truth Segmentation"}.isdisjoint(subfolders(folder))

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield one cell a mask; the group is the field.

        Raises:
            DatasetError: If the fields or a mask are missing, or a mask is empty.
            ImageError: If a mask or a field cannot be read.
        """
        for part in ("Main Dataset", "Ground Truth Segmentation"):
            if not (folder / part).is_dir():
                raise DatasetError(
                    f"LISC has no folder {part!r}", expected=self.layout, where=folder
                )
        masks = {n.lower(): p for n, p in subfolders(folder / "Ground Truth Segmentation").items()}
        for name, below in subfolders(folder / "Main Dataset").items():
            if name.lower() not in _FOLDERS:
                continue
            expert = masks.get(name.lower(), folder) / "areaforexpert1"
            drawn = images_in(expert)
            for image in images_in(below):
                # A field of `mixt` has a mask for each of its cells: 3_expert1.bmp and so on.
                own = [m for m in drawn if m.stem.startswith(f"{image.stem}_expert")]
                if not own and name.lower() != "mixt":
                    raise DatasetError(
                        "LISC has no expert mask for a field",
                        expected=str(expert / f"{image.stem}_expert.bmp"),
                        where=image,
                    )
                masks_or_whole: list[Path | None] = [*own] or [None]
                for mask in masks_or_whole:
                    yield Cell(
                        relative(image, folder),
                        name.lower(),
                        group=f"{self.name}/{name}/{image.stem}",
                        box=None if mask is None else _window(mask, image),
                    )


def _window(mask: Path, field: Path) -> Box:
    """Return the window around the middle of the largest object in a mask.

    Masks are published with 712x568 pixels, without a border of 4 that the fields have.
    """
    cell = read_image(mask).any(axis=2)
    width, height = read_size(field)
    border = [(whole - part) // 2 for whole, part in zip((height, width), cell.shape, strict=True)]
    objects, number = ndimage.label(cell)
    if number == 0:
        raise DatasetError("a mask is empty", where=mask)
    # Specks of a stray pen are no part of the cell.
    largest = int(np.argmax(np.bincount(objects.ravel())[1:]))
    rows, columns = ndimage.find_objects(objects)[largest]
    middles = [(part.start + part.stop) // 2 for part in (rows, columns)]
    top, left = (m + edge - _WINDOW // 2 for m, edge in zip(middles, border, strict=True))
    return Box(left, top, left + _WINDOW, top + _WINDOW)
