"""Barcelona: single cells of peripheral blood (Acevedo et al. 2020)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset, Role
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import first_image, images_in, relative, subfolders

_FOLDERS = (
    "basophil",
    "eosinophil",
    "erythroblast",
    "ig",
    "lymphocyte",
    "monocyte",
    "neutrophil",
    "platelet",
)
_NAME = re.compile(r"(BA|EO|ERB|LY|MO|BNE|SNE|NEUTROPHIL|MMY|MY|PMY|IG|PLATELET)_\d+", re.I)
# Prefixes that say more than the folder. `ERB` does not: here it means any erythroblast.
_FINER = {"BNE", "SNE", "MMY", "MY", "PMY"}


class Barcelona(PublishedDataset):
    """Peripheral blood of the Hospital Clinic of Barcelona, 360x363 JPEG, one cell each.

    The label is the folder's name, or the prefix of the file where it names a finer type.
    """

    name = "barcelona"
    title = "Barcelona (PBC)"
    licence = "CC BY 4.0"
    citation = "Acevedo et al. 2020, Data in Brief 30:105474"
    url = "https://doi.org/10.17632/snkd93bnjr.1"
    role: Role = "source"
    layout = "PBC_dataset_normal_DIB/<class>/<PREFIX>_<number>.jpg, classes " + ", ".join(_FOLDERS)
    published_counts = PUBLISHED_COUNTS["barcelona"]
    class_folders = frozenset(_FOLDERS)

    def recognises(self, folder: Path) -> bool:
        """Tell whether a class folder holds images named by subtype."""
        return any(
            name.lower() in _FOLDERS and _NAME.match(first_image(below))
            for name, below in subfolders(folder).items()
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells; no patient is published, so each is a group of its own."""
        for name, below in subfolders(folder).items():
            if name.lower() not in _FOLDERS:
                continue
            for image in images_in(below):
                prefix = image.stem.split("_")[0].upper()
                label = prefix if prefix in _FINER else name.lower()
                yield Cell(relative(image, folder), label)
