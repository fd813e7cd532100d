"""A CSV or Parquet file of paths and labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from hemashift.cell_schema import BOX_COLUMNS
from hemashift.cells import Box, Cell, CellTable, text_of
from hemashift.datasets.formats import FormatReader
from hemashift.errors import DatasetError, HemashiftError, TableError
from hemashift.files import split_archive_path
from hemashift.tables import read_table
from hemashift.taxonomy import Taxonomy, default_taxonomy

_PATH_NAMES = (
    "path",
    "image",
    "filename",
    "file_name",
    "file",
    "image_path",
    "file_path",
    "image_name",
)
_LABEL_NAMES = ("label", "labels", "category", "cell_type", "class")


class TableFile(FormatReader):
    """A table with a column `path` (or `image`, `filename`, `file_name`) and best one `label`.

    The label may also be called `category`, `cell_type` or `class`. Beside a label, `class` is the
    class that the label counts as. Optional columns are `x_min y_min x_max y_max`, `group` and
    `subset`. Paths are absolute or start from the folder of the table. Capitals in the header do
    not matter; the separator is a comma, a semicolon or a tab.
    """

    name = "csv"
    title = "CSV or Parquet table"
    layout = "a .csv or .parquet file with columns path, label and optional box, group, subset"

    def recognises(self, folder: Path) -> bool:
        """Tell whether this is a table with paths, or a folder with exactly one such table."""
        return _table_in(folder) is not None

    def read(self, folder: str | Path, taxonomy: Taxonomy | None = None) -> CellTable:
        """Read the table; see `FormatReader.read`.

        Raises:
            TableError: If the table cannot be read, or a row is not understood.
            DatasetError: If images of the table are missing.
        """
        path = Path(folder)
        if path.is_file() and path.suffix.lower() in (".csv", ".parquet"):
            _path_column(_read(path), path)  # says which column lacks
        table = super().read(_table_in(path) or path, taxonomy)
        allowed = (taxonomy or default_taxonomy()).classes
        for row, name in enumerate(table.frame["class"], start=1):
            if name is not None and name not in allowed:
                raise TableError(
                    "a class of the table is not one of the classes",
                    expected=", ".join(allowed),
                    found=name,
                    where=f"{path}, row {row}",
                )
        missing = [
            row
            for row, image in enumerate(table.paths(), start=1)
            if not Path((split_archive_path(image) or (image,))[0]).is_file()
        ]
        if missing:
            raise DatasetError(
                f"{len(missing)} of {len(table)} images of the table are missing; the first is "
                f"that of row {missing[0]}",
                expected=str(table.absolute(missing[0] - 1)),
                where=f"{path}, row {missing[0]}",
            )
        return table

    def cells(self, folder: Path) -> Iterator[Cell]:
        """Yield a cell a row."""
        frame = _read(folder)
        paths = _path_column(frame, folder)
        labels = next((name for name in _LABEL_NAMES if name in frame.columns), "label")
        boxed = [name for name in BOX_COLUMNS if name in frame.columns]
        if boxed and len(boxed) < len(BOX_COLUMNS):
            raise TableError(
                "the table has a part of the box columns only",
                expected=", ".join(BOX_COLUMNS),
                found=", ".join(boxed),
                where=folder,
            )
        for number, row in enumerate(frame.to_dict("records"), start=1):
            where = f"{folder}, row {number}"
            path = text_of(row[paths])
            if path is None:
                raise TableError("a row has no path", where=where)
            own = {key: text_of(row.get(key)) for key in (labels, "class", "group", "subset")}
            yield Cell(
                path,
                own[labels] or own["class"],
                None if labels == "class" else own["class"],
                own["group"],
                own["subset"],
                _box(row, where) if boxed else None,
            )


def _read(path: Path) -> pd.DataFrame:
    """Read the table with its header in small letters.

    Raises:
        TableError: The table cannot be read, or two columns then have the same name.
    """
    frame = read_table(path)
    names = [str(name).strip().lower() for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableError("two columns have the same name", found=", ".join(twice), where=path)
    return frame.set_axis(names, axis=1)


def _path_column(frame: pd.DataFrame, path: Path) -> str:
    """Return which column holds the paths."""
    for name in _PATH_NAMES:
        if name in frame.columns:
            return name
    raise TableError(
        "the table has no column of paths",
        expected=" or ".join(_PATH_NAMES[:4]),
        found=", ".join(map(str, frame.columns)),
        where=path,
    )


def _table_in(path: Path) -> Path | None:
    if path.is_dir():
        files = [p for suffix in ("csv", "parquet") for p in sorted(path.glob(f"*.{suffix}"))]
        tables = [file for file in files if _table_in(file) is not None]
        return tables[0] if len(tables) == 1 else None
    if path.suffix.lower() not in (".csv", ".parquet") or not path.is_file():
        return None
    try:
        _path_column(_read(path), path)
    except HemashiftError:
        return None
    return path


def _box(row: dict[Any, Any], where: str) -> Box | None:
    ends = [text_of(row[name]) for name in BOX_COLUMNS]
    if ends == [None] * 4:
        return None
    try:
        x_min, y_min, x_max, y_max = (int(end or "") for end in ends)
    except ValueError:
        raise TableError(
            "a box is not four whole numbers", found=", ".join(map(str, ends)), where=where
        ) from None
    box = Box(x_min, y_min, x_max, y_max)
    if not box.plausible:
        raise TableError(
            "a box lies beyond any image",
            expected="pixels",
            found=", ".join(map(str, ends)),
            where=where,
        )
    if x_min >= x_max or y_min >= y_max:
        raise TableError(
            "a box is empty",
            expected="x_min < x_max and y_min < y_max",
            found=", ".join(map(str, ends)),
            where=where,
        )
    return box
