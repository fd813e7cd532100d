"""JSLH: reference cells of the Japanese Society for Laboratory Hematology (Tohyama 2018)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import images_in, relative, subfolders
from hemashift.taxonomy import default_taxonomy

_NEUTROPHILS = {"NGS", "NGB"}
_ERYTHROBLASTS = {"ERB", "ERP", "ERO"}


class Jslh(PublishedDataset):
    """Screenshots of cells, a folder a type: two kinds of neutrophil, three of erythroblast."""

    name = "jslh"
    title = "JSLH"
    licence = "not stated"
    citation = "Tohyama 2018, Int J Lab Hematol 40:120-125"
    url = "https://doi.org/10.1111/ijlh.12819"
    layout = (
        "one folder a class: segmented neutrophil, band neutrophil, basophilic erythroblast, "
        "polychromatic erythroblast, orthochromatic erythroblast"
    )
    published_counts = PUBLISHED_COUNTS["jslh"]

    def recognises(self, folder: Path) -> bool:
        """Tell whether the folder has kinds of neutrophil and of erythroblast, and no others."""
        taxonomy = default_taxonomy()
        cells = [taxonomy.resolve(name) for name in subfolders(folder)]
        codes = {cell.code if cell else "" for cell in cells}
        return (
            bool(codes & _NEUTROPHILS and codes & _ERYTHROBLASTS)
            and codes <= _NEUTROPHILS | _ERYTHROBLASTS
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells; each is a group of its own."""
        for label, below in subfolders(folder).items():
            for image in images_in(below):
                yield Cell(relative(image, folder), label)
