"""BCCD in its three published forms: augmented, cropped, and fields with boxes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.cells import Cell
from hemashift.datasets.base import PublishedDataset
from hemashift.datasets.counts import PUBLISHED_COUNTS
from hemashift.datasets.folders import csv_rows, first_image, images_in, relative, subfolders
from hemashift.datasets.voc import annotated_objects
from hemashift.errors import DatasetError

_PARTS = ("TRAIN", "TEST", "TEST_SIMPLE")
_FOLDERS = ("BASOPHIL", "EOSINOPHIL", "LYMPHOCYTE", "MONOCYTE", "NEUTROPHIL")
_CROP = re.compile(r"(BloodImage_\d+)_\d+\.", re.I)


class Bccd(PublishedDataset):
    """The augmented set of Kaggle: about 33 altered copies of each of some 350 originals.

    TRAIN and TEST come from different originals, but which copies share one is not published,
    and the file's name does not tell. So each part is one group: a random split inside it would
    leak. TEST_SIMPLE belongs to the group of TEST.
    """

    name = "bccd"
    title = "BCCD, augmented"
    licence = "MIT"
    citation = "Mooney 2018, Blood Cell Images (Kaggle), after Shenggan, BCCD Dataset"
    url = "https://www.kaggle.com/datasets/paultimothymooney/blood-cells"
    layout = "dataset2-master/images/{TRAIN,TEST,TEST_SIMPLE}/<CLASS>/*.jpeg"
    note = "Adapt on TRAIN only and test on TEST only: copies of one original cannot be told apart."
    published_counts = PUBLISHED_COUNTS["bccd"]

    def recognises(self, folder: Path) -> bool:
        """Tell whether `images`, or the folder itself, holds TRAIN or TEST with class folders."""
        return _parts(folder) is not None

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells of the parts that are there."""
        place = _parts(folder) or folder
        for part in _PARTS:
            group = f"{self.name}/{'TRAIN' if part == 'TRAIN' else 'TEST'}"
            for label, below in subfolders(place / part).items():
                if label in _FOLDERS:
                    for image in images_in(below):
                        yield Cell(relative(image, folder), label, group=group, subset=part)


class BccdCropped(PublishedDataset):
    """The originals, one crop a cell; the group is the original image."""

    name = "bccd_cropped"
    title = "BCCD, cropped originals"
    licence = "MIT"
    citation = "Shenggan, BCCD Dataset; crops after Banik et al. 2020"
    url = "https://github.com/apple2373/BCCD"
    layout = "{Basophil,Eosinophil,Lymphocyte,Monocyte,Neutrophil}/BloodImage_<n>_<k>.jpg"
    published_counts = PUBLISHED_COUNTS["bccd_cropped"]
    class_folders = frozenset(name.casefold() for name in _FOLDERS)

    def recognises(self, folder: Path) -> bool:
        """Tell whether a class folder holds crops named by their original."""
        return any(
            name.upper() in _FOLDERS and _CROP.match(first_image(below))
            for name, below in subfolders(folder).items()
        )

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the cells."""
        for label, below in subfolders(folder).items():
            if label.upper() in _FOLDERS:
                for image in images_in(below):
                    origin = _CROP.match(image.name)
                    yield Cell(
                        relative(image, folder), label, group=origin[1] if origin else image.stem
                    )


class BccdVoc(PublishedDataset):
    """The fields of 640x480 with a box a cell; `labels.csv` says which types a field shows.

    A `WBC` box has a type only where its field lists exactly as many cells as it has boxes, all of
    one type: which of two boxes is the lymphocyte is not recorded. The group is the field, under
    the same name as in the cropped set, since both show the same cells.
    """

    name = "bccd_voc"
    title = "BCCD, fields with boxes"
    licence = "MIT"
    citation = "Shenggan, BCCD Dataset"
    url = "https://github.com/Shenggan/BCCD_Dataset"
    layout = "Annotations/*.xml and JPEGImages/*.jpg, with labels.csv (Image, Category) beside"

    def recognises(self, folder: Path) -> bool:
        """Tell whether there are annotations named as those of BCCD."""
        annotations = folder / "Annotations"
        return annotations.is_dir() and any(annotations.glob("BloodImage_*.xml"))

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield the white blood cells.

        Raises:
            DatasetError: If labels or images are missing, or an annotation is not understood.
        """
        categories = _read_categories(_find_labels(folder, self.layout))
        for field in annotated_objects(folder):
            boxes = [box for label, box in field.objects if label.upper() == "WBC"]
            types = categories.get(_number(field.image.stem), [])
            sure = len(set(types)) == 1 and len(types) == len(boxes)
            for box in boxes:
                yield Cell(
                    relative(field.image, folder),
                    types[0] if sure else "WBC",
                    group=field.image.stem,
                    box=box,
                )


def _parts(folder: Path) -> Path | None:
    """Return the folder that holds TRAIN or TEST with class folders, or None."""
    for place in (folder / "images", folder):
        parts = subfolders(place)
        if any(p in parts and set(subfolders(parts[p])) & set(_FOLDERS) for p in _PARTS):
            return place
    return None


def _find_labels(folder: Path, layout: str) -> Path:
    places = (folder, folder.parent, folder.parent / "dataset2-master", folder.parent.parent)
    for place in places:
        if (place / "labels.csv").is_file():
            return place / "labels.csv"
    raise DatasetError(
        "BCCD: the labels are missing",
        expected=layout,
        where=folder,
        hint="labels.csv comes with the Kaggle copy; put it beside the folder Annotations",
    )


def _read_categories(path: Path) -> dict[int, list[str]]:
    """Return the types in every field by its number; a field without any is left out."""
    header, *rows = csv_rows(path) or [[]]
    if not {"Image", "Category"} <= set(header):
        raise DatasetError("BCCD: the labels lack a column", expected="Image, Category", where=path)
    result: dict[int, list[str]] = {}
    for line, fields in enumerate(rows, start=2):
        if not fields:
            continue
        row = dict(zip(header, fields, strict=False))
        image = row.get("Image", "").strip()
        if not image.isdecimal():
            raise DatasetError(
                "BCCD: an image in the labels has no number",
                found=image,
                where=f"{path}, line {line}",
            )
        types = [part.strip() for part in row.get("Category", "").split(",")]
        result[int(image)] = [part for part in types if part]
    return result


def _number(stem: str) -> int:
    digits = re.search(r"(\d+)$", stem)
    return int(digits[1]) if digits else -1
