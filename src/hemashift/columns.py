"""What the columns of a table of cells say: texts, smears or patients, spellings of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from hemashift.cells import text_of
from hemashift.splitting import linked
from hemashift.taxonomy.core import keys

GROUP_COLUMNS = ("patient", "patient_id", "group", "smear", "slide")
"""Columns that may name the smear or patient of a cell."""


def texts_of(column: pd.Series) -> list[str]:
    """Return the texts of a column without spaces around them; empty where there is nothing."""
    return [text_of(value) or "" for value in column]


def groups_in(frame: pd.DataFrame) -> list[str] | None:
    """Return the smear or patient of each row, empty where it has none; None without a column.

    Rows that share a value in any of `GROUP_COLUMNS` are of one group, such as all slides of a
    patient. It is called by its patient, where that is known.

    Examples:
        >>> groups_in(pd.DataFrame({"slide": ["1", "2", "3", ""], "patient": ["A", "A", "", ""]}))
        ['A', 'A', '3', '']
    """
    names = [str(name).strip().lower() for name in frame.columns]
    found = [texts_of(frame.iloc[:, names.index(by)]) for by in GROUP_COLUMNS if by in names]
    if not found:
        return None
    own = [next(filter(None, values), "") for values in zip(*found, strict=True)]
    return [own[first] for first in linked(found)]


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
