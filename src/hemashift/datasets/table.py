"""A CSV or Parquet file of paths and labels."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from hemashift.cell_schema import BOX_COLUMNS, read_frame
from hemashift.cells import Box, Cell, CellTable
from hemashift.datasets.formats import FormatReader
from hemashift.errors import DatasetError, HemashiftError, TableError
from hemashift.taxonomy import Taxonomy, default_taxonomy

_PATH_NAMES = ("path", "image", "filename", "file", "image_path", "file_path")


class TableFile(FormatReader):
    """A table with a column `path` (or `image`, `filename`, `file`) and best a column `label`.

    Optional columns are `class`, `x_min y_min x_max y_max`, `group` and `subset`. Paths are
    absolute or start from the folder of the table.
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
            _columns(read_frame(path), path)  # says which column lacks
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
            if not Path(str(image).split("!/")[0]).is_file()
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
        frame = read_frame(folder)
        names = _columns(frame, folder)
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
            path = _text(row[names["path"]])
            if path is None:
                raise TableError("a row has no path", where=where)
            own = {key: _text(row.get(key)) for key in ("label", "class", "group", "subset")}
            yield Cell(
                path,
                own["label"] or own["class"],
                own["class"],
                own["group"],
                own["subset"],
                _box(row, where) if boxed else None,
            )


def _columns(frame: pd.DataFrame, path: Path) -> dict[str, str]:
    """Return which column holds the paths."""
    for name in _PATH_NAMES:
        if name in frame.columns:
            return {"path": name}
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
        _columns(read_frame(path), path)
    except HemashiftError:
        return None
    return path


def _text(value: Any) -> str | None:
    """Return a value as text: a Parquet file may hold labels as numbers."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip() or None


def _box(row: dict[Any, Any], where: str) -> Box | None:
    ends = [_text(row[name]) for name in BOX_COLUMNS]
    if ends == [None] * 4:
        return None
    try:
        x_min, y_min, x_max, y_max = (int(end or "") for end in ends)
    except ValueError:
        raise TableError(
            "a box is not four whole numbers", found=", ".join(map(str, ends)), where=where
        ) from None
    if x_min >= x_max or y_min >= y_max:
        raise TableError(
            "a box is empty",
            expected="x_min < x_max and y_min < y_max",
            found=", ".join(map(str, ends)),
            where=where,
        )
    return Box(x_min, y_min, x_max, y_max)
