"""Munich 2019 (peripheral blood) and Munich 2021 (bone marrow): a folder a code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset, Role
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import first_image, images_in, relative, subfolders

# fmt: off
_CODES_2019 = (
    "BAS", "EBO", "EOS", "KSC", "LYA", "LYT", "MMZ", "MOB", "MON", "MYB", "MYO", "NGB", "NGS",
    "PMB", "PMO",
)
_CODES_2021 = (
    "ABE", "ART", "BAS", "BLA", "EBO", "EOS", "FGC", "HAC", "KSC", "LYI", "LYT", "MMZ", "MON",
    "MYB", "NGB", "NGS", "NIF", "OTH", "PEB", "PLM", "PMO",
)
# fmt: on
_BLOCK = re.compile(r"\d+-\d+")


class Munich2019(PublishedDataset):
    """Peripheral blood of the LMU Munich, patients with acute myeloid leukaemia and without.

    400x400 TIFF with an alpha channel; where JPEG or PNG copies lie beside, the TIFF is taken.
    """

    name = "munich_2019"
    title = "Munich 2019 (blood, LMU)"
    licence = "CC BY 3.0"
    citation = "Matek et al. 2019, Nature Machine Intelligence 1:538-544"
    url = "https://doi.org/10.7937/tcia.2019.36f5o9ld"
    role: Role = "source"
    layout = "AML-Cytomorphology_LMU/<CODE>/<CODE>_0001.tiff, codes " + ", ".join(_CODES_2019)
    note = (
        "Table 2 of the paper counts the 11 atypical lymphocytes (LYA) with the lymphocytes; "
        "here they are outside."
    )
    published_counts = PUBLISHED_COUNTS["munich_2019"]
    class_folders = frozenset(code.casefold() for code in _CODES_2019)

    def recognises(self, folder: Path) -> bool:
        """Tell whether a folder named by a code holds images with that code and four digits."""
        return any(
            re.fullmatch(rf"{name}_\d{{4}}\.\w+", first_image(below))
            for name, below in subfolders(folder).items()
            if name in _CODES_2019
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells; no patient is published, so each is a group of its own."""
        for code, below in subfolders(folder).items():
            if code in _CODES_2019:
                for image in images_in(below, one_a_stem=True):
                    yield Cell(relative(image, folder), code)


class Munich2021(PublishedDataset):
    """Bone marrow of the Munich Leukemia Laboratory, 250x250 JPEG in blocks of a thousand."""

    name = "munich_2021"
    title = "Munich 2021 (marrow, MLL)"
    licence = "CC BY 4.0"
    citation = "Matek et al. 2021, Blood 138:1917-1927"
    url = "https://doi.org/10.7937/TCIA.AXH3-T579"
    layout = "BM_cytomorphology_data/<CODE>/0001-1000/<CODE>_00001.jpg, codes " + ", ".join(
        _CODES_2021
    )
    note = (
        "Table 2 of the paper counts immature lymphocytes (LYI, 65) with the lymphocytes and "
        "abnormal eosinophils (ABE, 8) with the eosinophils; here they are outside."
    )
    published_counts = PUBLISHED_COUNTS["munich_2021"]
    class_folders = frozenset(code.casefold() for code in _CODES_2021)

    def recognises(self, folder: Path) -> bool:
        """Tell whether a folder named by a code holds images with that code and five digits."""
        return any(
            re.fullmatch(rf"{name}_\d{{5}}\.\w+", first_image(place))
            for name, below in subfolders(folder).items()
            if name in _CODES_2021
            for place in _blocks(below)
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells; no patient is published, so each is a group of its own."""
        for code, below in subfolders(folder).items():
            if code in _CODES_2021:
                for place in _blocks(below):
                    for image in images_in(place):
                        yield Cell(relative(image, folder), code)


def _blocks(folder: Path) -> list[Path]:
    """Return a code's folder and its blocks `0001-1000`, since some copies have them flattened."""
    return [folder, *(b for name, b in subfolders(folder).items() if _BLOCK.fullmatch(name))]
