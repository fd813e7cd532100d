"""The columns of the cell table, and the rules they obey."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hemashift.errors import TableError

if TYPE_CHECKING:
    import pandera.pandas as pa

BOX_COLUMNS = ("x_min", "y_min", "x_max", "y_max")
COLUMNS = ("path", *BOX_COLUMNS, "label", "class", "dataset", "subset", "group")
BEYOND = 2**31
"""A pixel coordinate that no image has."""
_REQUIRED_TEXT = ("path", "dataset", "group")
_OPTIONAL_TEXT = ("label", "class", "subset")


def table_suffix(path: Path) -> str:
    """Return `.csv` or `.parquet`, or raise a TableError for any other suffix."""
    suffix = path.suffix.lower()
    if suffix not in (".csv", ".parquet"):
        raise TableError(
            "a cell table is a CSV or Parquet file",
            expected=".csv or .parquet",
            found=path.suffix or "no suffix",
            where=path,
        )
    return suffix


def standardise(frame: pd.DataFrame) -> pd.DataFrame:
    """Bring columns into order and type, so that what is checked is what is used."""
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise TableError(
            f"the cell table has no column {missing[0]!r}",
            expected=", ".join(COLUMNS),
            found=", ".join(map(str, frame.columns)) or "no columns",
        )
    frame = frame[list(COLUMNS)].reset_index(drop=True)
    for name in BOX_COLUMNS:
        numbers = pd.to_numeric(frame[name], errors="coerce")
        bad = (numbers.isna() & frame[name].notna()) | (numbers % 1 != 0) & numbers.notna()
        bad |= numbers.astype("Float64").abs().ge(BEYOND).fillna(False)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise TableError(
                f"{name} is no whole number of pixels",
                expected=f"such as 240, below {BEYOND:,}",
                found=repr(frame[name].iloc[row]),
                where=f"row {row + 1}, column {name}",
            )
        frame[name] = numbers.astype("Int64")
    for name in (*_REQUIRED_TEXT, *_OPTIONAL_TEXT):
        text = frame[name].astype(object)
        frame[name] = text.where(text.notna(), None)
    return frame


def _schema() -> pa.DataFrameSchema:
    """Return the rules of the table. Pandera takes a second to import, so it comes in late."""
    import pandera.pandas as pa

    filled = pa.Check(
        lambda text: isinstance(text, str) and bool(text.strip()),
        element_wise=True,
        error="a text that is not empty",
    )
    boxed = pa.Check(
        lambda frame: frame[list(BOX_COLUMNS)].isna().sum(axis=1).isin([0, 4]),
        error="all four of x_min, y_min, x_max, y_max, or none",
    )
    ordered = pa.Check(
        lambda frame: (
            (frame["x_min"] < frame["x_max"]) & (frame["y_min"] < frame["y_max"])
        ).fillna(True),
        error="x_min < x_max and y_min < y_max",
    )
    columns = {name: pa.Column(object, filled) for name in _REQUIRED_TEXT}
    columns |= {name: pa.Column(object, filled, nullable=True) for name in _OPTIONAL_TEXT}
    columns |= {name: pa.Column("Int64", nullable=True) for name in BOX_COLUMNS}
    return pa.DataFrameSchema(columns, checks=[boxed, ordered], strict=True)


def validate(frame: pd.DataFrame) -> None:
    """Check the rules and report the first row that breaks one, counting rows from 1."""
    import pandera.errors

    try:
        _schema().validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases.dropna(subset=["index"]).sort_values("index", kind="stable")
        first = cases.to_dict("records")[0]
        row = int(first["index"])
        whole = first["schema_context"] == "DataFrameSchema"
        column = "box" if whole else str(first["column"])
        box = ", ".join(str(frame[name].iloc[row]) for name in BOX_COLUMNS)
        rule = "a value" if first["check"] == "not_nullable" else str(first["check"])
        raise TableError(
            f"the cell table has {cases['index'].nunique()} bad rows; the first is row {row + 1}",
            expected=rule,
            found=box if whole else str(first["failure_case"]),
            where=f"row {row + 1}, column {column}",
        ) from None
