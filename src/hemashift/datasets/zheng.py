"""Jiangxi Tecom and CellaVision blog: the two datasets of Zheng et al. 2018."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset, Role
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import csv_rows, relative
from hemashift.errors import DatasetError

_CODES = {
    "1": "neutrophil",
    "2": "lymphocyte",
    "3": "monocyte",
    "4": "eosinophil",
    "5": "basophil",
}


class _Zheng(PublishedDataset):
    """Images `NNN.bmp` beside their masks `NNN.png`, classes in a CSV of numbers."""

    number: int
    licence = "GPL-3.0"
    citation = "Zheng et al. 2018, Micron 107:55-71"
    url = "https://github.com/zxaoyou/segmentation_WBC"

    @property
    def _images(self) -> str:
        return f"Dataset {self.number}"

    @property
    def _labels(self) -> str:
        return f"Class Labels of Dataset {self.number}.csv"

    def recognises(self, folder: Path) -> bool:
        """Tell whether the images or the labels are there; `cells` says which of them lacks.

        The folder of the images itself will do where the labels lie beside it.
        """
        place = self._around(folder)
        return (place / self._labels).is_file() or (place / self._images).is_dir()

    def find(self, root: str | Path) -> Path | None:
        """Return the folder of images and labels, see `PublishedDataset.find`."""
        found = super().find(root)
        return found if found is None else self._around(found)

    def _around(self, folder: Path) -> Path:
        beside = folder.parent / self._labels
        return folder.parent if folder.name == self._images and beside.is_file() else folder

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells in the order of the CSV; each is a group of its own.

        Raises:
            DatasetError: If the images or the CSV are missing or unreadable, an image of the CSV
                is missing, or a class number is none of 1 to 5.
        """
        table = folder / self._labels
        if not table.is_file():
            raise DatasetError(
                f"{self.title}: the labels are missing", expected=self._labels, where=folder
            )
        if not (folder / self._images).is_dir():
            raise DatasetError(
                f"{self.title}: the images are missing",
                expected=f"{self._images}/001.bmp and so on",
                where=folder,
            )
        for line, row in enumerate(csv_rows(table)[1:], start=2):
            if not row:
                continue
            if len(row) < 2 or not row[0].strip().isdecimal() or row[1].strip() not in _CODES:
                raise DatasetError(
                    f"{self.title}: a line of the labels is not understood",
                    expected="image ID,class label with a class of 1 to 5",
                    found=",".join(row),
                    where=f"{table}, line {line}",
                )
            image = folder / self._images / f"{int(row[0]):03d}.bmp"
            if not image.is_file():
                raise DatasetError(
                    f"{self.title}: an image of the labels is missing",
                    expected=str(image),
                    where=f"{table}, line {line}",
                )
            yield Cell(relative(image, folder), _CODES[row[1].strip()])


class JiangxiTecom(_Zheng):
    """300 images of 120x120 with a rapid stain, backgrounds yellow."""

    name = "jiangxi_tecom"
    title = "Jiangxi Tecom"
    number = 1
    layout = "Dataset 1/001.bmp and so on beside Class Labels of Dataset 1.csv"
    note = (
        "Counts are those of the dataset's own README; Table 2 of the paper has lymphocytes and "
        "monocytes exchanged."
    )
    published_counts = PUBLISHED_COUNTS["jiangxi_tecom"]


class CellaVisionBlog(_Zheng):
    """100 images of 300x300 from the CellaVision blog; the paper set them aside."""

    name = "cellavision_blog"
    title = "CellaVision blog"
    number = 2
    role: Role = "set aside"
    layout = "Dataset 2/001.bmp and so on beside Class Labels of Dataset 2.csv"
    note = "The paper set it aside as too small, with mistakes in the labels."
