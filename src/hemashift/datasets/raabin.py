"""Raabin: normal peripheral blood of three laboratories (Kouzehkanan et al. 2022)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import images_in, relative, subfolders

_PARTS = ("Train", "TestA", "TestB")
_FOLDERS = ("Basophil", "Eosinophil", "Lymphocyte", "Monocyte", "Neutrophil")


class Raabin(PublishedDataset):
    """Cropped cells of the double-labelled part, 575x575; the group is the smear."""

    name = "raabin"
    title = "Raabin-WBC"
    licence = "free for research"
    citation = "Kouzehkanan et al. 2022, Scientific Reports 12:1123"
    url = "https://raabindata.com/free-data/"
    layout = "Train, TestA, TestB, each <class>/<smear>_<n>_<k>.jpg, classes " + ", ".join(_FOLDERS)
    published_counts = PUBLISHED_COUNTS["raabin"]

    def recognises(self, folder: Path) -> bool:
        """Tell whether one of the two test parts is there: their names are Raabin's own."""
        parts = subfolders(folder)
        return any(
            part in parts and set(subfolders(parts[part])) & set(_FOLDERS)
            for part in ("TestA", "TestB")
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells of the parts that are there."""
        for part in _PARTS:
            for label, below in subfolders(folder / part).items():
                if label not in _FOLDERS:
                    continue
                for image in images_in(below):
                    smear = image.stem.rsplit("_", 2)[0]
                    yield Cell(
                        relative(image, folder), label, group=f"{self.name}/{smear}", subset=part
                    )
