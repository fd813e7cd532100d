"""Reading tables of any kind that hemashift takes: CSV, Parquet and JSON lines."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pyarrow.parquet as pq

from hemashift.cell_schema import BOX_COLUMNS
from hemashift.errors import TableError

_KNOWN = {"path", "label", "class", "sha256", "error", *BOX_COLUMNS}
_TEXT, _PARQUET, _JSON = (".csv", ".tsv", ".txt"), (".parquet", ".pq"), (".jsonl", ".ndjson")
# In characters; what is longer is not a header.
_LONGEST_HEADER = 65536
# Rows of JSON lines that are looked at for their names.
_FIRST_ROWS = 1000
_LONGEST_SHOWN = 80  # characters of a value in a message
_QUOTED = re.compile(r'"[^"]*("|$)')
# A spreadsheet's first line that names the separator.
_NAMES_SEPARATOR = re.compile(r'"?sep=([,;\t])"?\s*', re.IGNORECASE)


class _Header(NamedTuple):
    line: str
    separator: str
    above: int  # lines before it


def is_table(path: str | Path) -> bool:
    """Tell by its suffix whether `read_table` reads a file."""
    return Path(path).suffix.lower() in (*_TEXT, *_PARQUET, *_JSON)


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table by suffix: CSV (comma, semicolon or tab), Parquet or JSON lines.

    Every field of a CSV comes as text and an empty field as an empty text, so that a label
    such as "NA" stays a label. Capitals in the names of known columns do not matter.

    Raises:
        TableError: If the file is missing, unreadable, or of another kind, or a known column holds
            lists or the like.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    try:
        if suffix in _TEXT:
            header = _header(path)
            _refuse_twins(_fields(header))
            frame = pd.read_csv(
                path,
                sep=header.separator,
                skiprows=header.above,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
            )
            # Pandas would take the first field of longer rows as their name.
            if not isinstance(frame.index, pd.RangeIndex):
                raise ValueError("the rows have more fields than the header")
            return _named_alike(frame)
        if suffix in _PARQUET:
            return _flat(_named_alike(pd.read_parquet(path)))
        if suffix in _JSON:
            return _flat(_named_alike(pd.read_json(path, lines=True, dtype=False)))
    except (OSError, ValueError) as error:
        raise TableError.unreadable(path, error) from None
    raise TableError(
        "a table of this kind cannot be read",
        expected=".csv, .tsv, .parquet or .jsonl",
        found=path.suffix or "no suffix",
        where=path,
    )


def column_names(path: str | Path) -> set[str]:
    """Return the names of a table's columns, in small letters and without spaces around them.

    Only the beginning of the file is read, and text need not be in UTF-8. A file that is no table
    has no columns.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    names: Iterable[object] = ()
    try:
        if suffix in _TEXT:
            names = _fields(_header(path, errors="replace"))
        elif suffix in _PARQUET:
            names = pq.read_schema(path).names
        elif suffix in _JSON:
            names = pd.read_json(path, lines=True, dtype=False, nrows=_FIRST_ROWS).columns
    except (OSError, ValueError, csv.Error):
        return set()
    return {str(name).strip().lower() for name in names}


def separator_of(header: str) -> str:
    """Return what separates the fields of a CSV: a comma, a semicolon or a tab.

    Examples:
        >>> separator_of('path;label;"Note, if any"')
        ';'
    """
    return max(",;\t", key=_QUOTED.sub("", header).count)


def _header(path: Path, errors: str = "strict") -> _Header:
    with path.open(encoding="utf-8-sig", errors=errors) as stream:
        line = stream.readline(_LONGEST_HEADER)
        named = _NAMES_SEPARATOR.fullmatch(line)
        if named is None:
            return _Header(line, separator_of(line), 0)
        return _Header(stream.readline(_LONGEST_HEADER), named[1], 1)


def _fields(header: _Header) -> list[str]:
    return next(csv.reader([header.line], delimiter=header.separator), [])


def _refuse_twins(names: list[str]) -> None:
    """Refuse two columns of one name, of which pandas would give another name to the second."""
    twins = sorted(name for name in _KNOWN if names.count(name) > 1)
    if twins:
        raise ValueError(f"more than one column {twins[0]!r}")


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Refuse fields of known columns that hold several values, as Parquet and JSON can."""
    for name in (one for one in frame.columns if one in _KNOWN):
        for row, value in enumerate(frame[name], start=1):
            if pd.api.types.is_list_like(value):
                shown = repr(value)[:_LONGEST_SHOWN]
                raise ValueError(f"several values in row {row}, column {name}: {shown}")
    return frame


def _named_alike(frame: pd.DataFrame) -> pd.DataFrame:
    """Write the columns that hemashift knows in small letters; `p_<class>` stays as it is."""
    given = {str(name) for name in frame.columns}
    small = {name: str(name).strip().lower() for name in frame.columns}
    known = {name: one for name, one in small.items() if one in _KNOWN and one not in given}
    return frame.rename(columns=known)
