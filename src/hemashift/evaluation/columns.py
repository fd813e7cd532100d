"""What the columns of a table of cells say: texts, smears or patients, spellings of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hemashift.cells import text_of
from hemashift.taxonomy.core import keys

GROUP_COLUMNS = ("group", "smear", "slide", "patient", "patient_id")
"""Columns that may name the smear or patient of a cell; the first that there is counts."""


def texts_of(column: pd.Series) -> list[str]:
    """Return the texts of a column without spaces around them; empty where there is nothing."""
    return [text_of(value) or "" for value in column]


def groups_in(frame: pd.DataFrame) -> list[str] | None:
    """Return the smear or patient of each row, empty where it has none; None without a column."""
    names = [str(name).strip().lower() for name in frame.columns]
    by = next((name for name in GROUP_COLUMNS if name in names), None)
    return None if by is None else texts_of(frame.iloc[:, names.index(by)])


def one_spelling(
    meanings: Mapping[str, str | None], classes: Sequence[str] = ()
) -> dict[str, str | None]:
    """Let the first spelling of a class stand for all that differ as little as labels may.

    Args:
        meanings: Label -> what it means, in the order of the rows.
        classes: Classes whose spelling is settled.

    Examples:
        >>> one_spelling({"odd cell": "odd cell", "Odd  Cells": "Odd  Cells", "dirt": None})
        {'odd cell': 'odd cell', 'Odd  Cells': 'odd cell', 'dirt': None}
    """
    first: dict[str, str] = {}
    return {
        label: meaning
        if meaning is None or meaning in classes
        else first.setdefault(keys(meaning)[0], meaning)
        for label, meaning in meanings.items()
    }
