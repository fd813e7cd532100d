"""Raabin: normal peripheral blood of three laboratories (Kouzehkanan et al. 2022)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import first_image, images_in, relative, subfolders

_PARTS = ("Train", "TestA", "TestB")
_FOLDERS = ("Basophil", "Eosinophil", "Lymphocyte", "Monocyte", "Neutrophil")
_NAME = re.compile(r"(\d+-\d+-\d+-\d+|\d{8}_\d{6})_\d+")


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
        """Tell whether one of the two test parts is there, or Train with names of its smears."""
        return any(_classes(folder, part) for part in ("TestA", "TestB")) or any(
            _NAME.match(first_image(below)) for below in _classes(folder, "Train").values()
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells of the parts that are there."""
        for part in _PARTS:
            for label, below in _classes(folder, part).items():
                for image in images_in(below):
                    smear = image.stem.rsplit("_", 2)[0]
                    yield Cell(
                        relative(image, folder), label, group=f"{self.name}/{smear}", subset=part
                    )


def _classes(folder: Path, part: str) -> dict[str, Path]:
    """Return the class folders of a part; archives may unpack it into a folder of its name."""
    for place in (folder / part, folder / part / part):
        found = {name: below for name, below in subfolders(place).items() if name in _FOLDERS}
        if found:
            return found
    return {}
