"""Tianjin and Ruijin: fields with boxes, which their authors hand out on request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Box, Cell
from hemashift.datasets.base import PublishedDataset, Role
from hemashift.datasets.coco import Coco
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.formats import FormatReader
from hemashift.datasets.voc import Voc
from hemashift.datasets.yolo import Yolo

_FORMATS: tuple[FormatReader, ...] = (Yolo(), Voc(), Coco())
_WINDOW = 250  # pixels; the crop of the paper


class _Fields(PublishedDataset):
    """Fields with boxes in a folder named after the dataset, as YOLO, Pascal VOC or COCO."""

    licence = "on request"

    def recognises(self, folder: Path) -> bool:
        """Tell by its name and its boxes: the layout alone would fit any detection dataset."""
        named = any(self.name in part.name.lower() for part in (folder, folder.parent))
        return named and folder.is_dir() and any(f.recognises(folder) for f in _FORMATS)

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells; the group is the field."""
        reader = next(f for f in _FORMATS if f.recognises(folder))
        yield from reader.cells(folder)


class Tianjin(_Fields):
    """Fields of 600x600; each cell is the 250x250 window around its box."""

    name = "tianjin"
    title = "Tianjin"
    citation = "Li et al. 2023, Scientific Reports 13:2160"
    url = "https://doi.org/10.1038/s41598-023-29331-3"
    layout = (
        "a folder named tianjin with boxes as YOLO, Pascal VOC or COCO; classes neutrophil, "
        "lymphocyte, monocyte, eosinophil, basophil"
    )
    published_counts = PUBLISHED_COUNTS["tianjin"]

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells with the window of the paper instead of the tight box."""
        for cell in super().cells(folder):
            yield cell if cell.box is None else cell._replace(box=_window(cell.box))


class Ruijin(_Fields):
    """Lymphocytes, lymphoma cells and blasts; the paper set it aside, having one class only."""

    name = "ruijin"
    title = "Ruijin"
    citation = "Sheng et al. 2020, Biotechnol Biotechnol Equip 34:413-420"
    url = "https://doi.org/10.1080/13102818.2020.1765871"
    role: Role = "set aside"
    layout = "a folder named ruijin with boxes as YOLO, Pascal VOC or COCO"
    note = "The paper set it aside: of the six classes it has lymphocytes only."


def _window(box: Box) -> Box:
    left = (box.x_min + box.x_max - _WINDOW) // 2
    top = (box.y_min + box.y_max - _WINDOW) // 2
    return Box(left, top, left + _WINDOW, top + _WINDOW)
