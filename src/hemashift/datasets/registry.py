"""Finding readers by name, data by place, and the format of a folder by its looks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from hemashift.cells import CellTable
from hemashift.datasets.barcelona import Barcelona
from hemashift.datasets.base import DatasetReader, PublishedDataset
from hemashift.datasets.bccd import Bccd, BccdCropped, BccdVoc
from hemashift.datasets.coco import Coco
from hemashift.datasets.fields import Ruijin, Tianjin
from hemashift.datasets.folders import nearby, wrapped
from hemashift.datasets.imagefolder import ImageFolder
from hemashift.datasets.jin_woo_choi import JinWooChoi
from hemashift.datasets.jslh import Jslh
from hemashift.datasets.lisc import Lisc
from hemashift.datasets.munich import Munich2019, Munich2021
from hemashift.datasets.raabin import Raabin
from hemashift.datasets.table import TableFile
from hemashift.datasets.voc import Voc
from hemashift.datasets.yolo import Yolo
from hemashift.datasets.zheng import CellaVisionBlog, JiangxiTecom
from hemashift.errors import DatasetError
from hemashift.taxonomy import Taxonomy

_PUBLISHED: tuple[PublishedDataset, ...] = (
    Barcelona(),
    Munich2019(),
    Munich2021(),
    Raabin(),
    Lisc(),
    Jslh(),
    JinWooChoi(),
    JiangxiTecom(),
    CellaVisionBlog(),
    Bccd(),
    BccdVoc(),
    BccdCropped(),
    Tianjin(),
    Ruijin(),
)
# In the order in which they are tried: a folder of images fits almost anything, so it is last.
_FORMATS: tuple[DatasetReader, ...] = (Yolo(), Voc(), Coco(), TableFile(), ImageFolder())
_READERS: dict[str, DatasetReader] = {r.name: r for r in (*_PUBLISHED, *_FORMATS)}


class Opened(NamedTuple):
    """What `open_table` made of a path: the cells, and the reader that understood it."""

    table: CellTable
    reader: DatasetReader


def available() -> tuple[str, ...]:
    """Return the names of all readers: the published datasets, then the formats."""
    return tuple(_READERS)


def published() -> tuple[str, ...]:
    """Return the names of the readers of published datasets."""
    return tuple(reader.name for reader in _PUBLISHED)


def get(name: str) -> DatasetReader:
    """Return a reader by name.

    Raises:
        DatasetError: If there is none of that name.

    Examples:
        >>> get("barcelona").role
        'source'
    """
    if name not in _READERS:
        raise DatasetError(
            f"there is no dataset {name!r}", expected=", ".join(_READERS), found=name
        )
    return _READERS[name]


def find_data_root() -> Path | None:
    """Return the folder that datasets lie in, or None.

    It is the one that the environment variable `HEMASHIFT_DATA` names, else `../shared/data`
    beside the working folder or beside the checkout that this package runs from.

    Raises:
        DatasetError: If `HEMASHIFT_DATA` names no folder.
    """
    named = os.environ.get("HEMASHIFT_DATA")
    if named:
        if not Path(named).is_dir():
            raise DatasetError("HEMASHIFT_DATA names no folder", where=named)
        return Path(named)
    checkout = Path(__file__).resolve().parents[3]
    for start in (Path.cwd(), checkout):
        folder = start.parent / "shared" / "data"
        if folder.is_dir():
            return folder
    return None


def load(name: str, root: str | Path | None = None, taxonomy: Taxonomy | None = None) -> CellTable:
    """Read a dataset by name.

    Args:
        name: One of `available()`.
        root: The dataset's folder or one above it; where not given, `find_data_root()`.
        taxonomy: How labels count as classes; the built-in one by default.

    Raises:
        DatasetError: If the name is unknown or the dataset is not there.
    """
    reader = get(name)
    place = find_data_root() if root is None else Path(root)
    if place is None:
        raise DatasetError(
            f"no folder to look for {name} in",
            hint="give the folder, or set HEMASHIFT_DATA to the one that your datasets lie in",
        )
    return reader.read(place, taxonomy)


def recognise(path: str | Path) -> DatasetReader | None:
    """Return the reader that a folder or file has the layout of, or None.

    A published dataset is also recognised inside folders that hold nothing else, as archives
    unpack.
    """
    path = Path(path)
    for place in wrapped(path):
        for reader in _PUBLISHED:
            if reader.recognises(place) and reader.alone(place):
                return reader
    return next((reader for reader in _FORMATS if reader.recognises(path)), None)


def open_table(path: str | Path, taxonomy: Taxonomy | None = None) -> Opened:
    """Read a folder or file of one's own, whatever its format.

    Args:
        path: A folder of images in any of the layouts known, or a CSV, Parquet or COCO file.
        taxonomy: How labels count as classes; the built-in one by default.

    Returns:
        The cells and the reader that was chosen.

    Raises:
        DatasetError: If the path does not exist, no format fits, or published datasets lie
            further down among other images.
        TableError: If a table is not understood.
    """
    path = Path(path)
    if not path.exists():
        raise DatasetError("there is no such file or folder", where=path)
    reader = recognise(path)
    if reader is None and path.suffix.lower() in (".csv", ".parquet"):
        reader = _READERS["csv"]  # it will say what the table lacks
    if reader is None:
        raise DatasetError(
            "no cell images in a known layout here",
            expected="; ".join(f"{r.title}: {r.layout}" for r in _FORMATS),
            where=path,
        )
    table = reader.read(path, taxonomy)
    if reader.role == "format" and not table.classes():
        _refuse_collection(path)
    return Opened(table, reader)


def _refuse_collection(path: Path) -> None:
    """Refuse a folder that holds whole datasets, of which none of the folders is a class.

    Raises:
        DatasetError: Published datasets lie in it.
    """
    inner = {
        place: reader.title
        for place in nearby(path)
        for reader in _PUBLISHED
        if place != path and reader.recognises(place) and reader.alone(place)
    }
    if inner:
        raise DatasetError(
            "the folder is no dataset, but holds some",
            expected="the folder of one of them",
            found=", ".join(f"{title} in {place}" for place, title in inner.items()),
            where=path,
        )
