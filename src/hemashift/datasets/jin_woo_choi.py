"""Jin Woo Choi: maturation stages in bone marrow (Choi et al. 2017)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell, CellTable
from hemashift.datasets.base import PublishedDataset, classified
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import images_in, natural, relative, subfolders
from hemashift.errors import DatasetError
from hemashift.taxonomy import Taxonomy, default_taxonomy

ARCHIVE = "data_WBC_torch.zip"
STAGES = (
    "pronormoblast",
    "basophilic normoblast",
    "polychromatic normoblast",
    "orthochromatic normoblast",
    "myeloblast",
    "promyelocyte",
    "myelocyte",
    "metamyelocyte",
    "band neutrophil",
    "segmented neutrophil",
)
_FOLDERS = {str(number) for number in range(len(STAGES))}
# The archive also holds a version control tree, which is no part of the data.
_MEMBER = re.compile(r"([0-9])/[^/]+\.jpe?g", re.I)


class JinWooChoi(PublishedDataset):
    """Ten stages in folders 0 to 9, read from the zip as published or from its unpacked folders."""

    name = "jin_woo_choi"
    title = "Jin Woo Choi"
    licence = "CC BY 4.0"
    citation = "Choi et al. 2017, PLoS ONE 12:e0189259"
    url = "https://doi.org/10.1371/journal.pone.0189259"
    layout = f"{ARCHIVE}, or its unpacked folders 0 to 9: " + ", ".join(
        f"{i} {stage}" for i, stage in enumerate(STAGES)
    )
    published_counts = PUBLISHED_COUNTS["jin_woo_choi"]

    def recognises(self, folder: Path) -> bool:
        """Tell whether this is the zip, its folder, or exactly the folders 0 to 9.

        Other numbers are a laboratory's patients or smears.
        """
        if folder.is_file():
            return folder.name == ARCHIVE
        return (folder / ARCHIVE).is_file() or set(subfolders(folder)) == _FOLDERS

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells with the name of their stage; each is a group of its own.

        Raises:
            DatasetError: If the zip cannot be read or holds no image.
        """
        if not (folder / ARCHIVE).is_file():
            for number, stage in enumerate(STAGES):
                for image in images_in(folder / str(number)):
                    yield Cell(relative(image, folder), stage)
            return
        try:
            with zipfile.ZipFile(folder / ARCHIVE) as archive:
                members = [_MEMBER.fullmatch(name) for name in archive.namelist()]
        except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
            raise DatasetError(
                "the zip cannot be read", found=str(error), where=folder / ARCHIVE
            ) from None
        if not any(members):
            raise DatasetError(
                f"{self.title}: the zip holds no image",
                expected="members such as 0/1.jpg",
                where=folder / ARCHIVE,
            )
        for member in sorted((m for m in members if m), key=lambda m: natural(m[0])):
            yield Cell(f"{ARCHIVE}!/{member[0]}", STAGES[int(member[1])])

    def read(self, folder: str | Path, taxonomy: Taxonomy | None = None) -> CellTable:
        """Read the dataset; see `PublishedDataset.read`. The zip itself may be given, too."""
        found = self.find(folder)
        if found is not None and found.is_file():
            found = found.parent
            cells = classified(self.cells(found), taxonomy or default_taxonomy())
            return CellTable.from_cells(cells, found, self.name)
        return super().read(folder, taxonomy)
