"""Rows of tidy tables as plain dictionaries, for those who draw and write them."""

from __future__ import annotations

from typing import Any

import pandas as pd

Row = dict[str, Any]


def rows_of(table: pd.DataFrame) -> list[Row]:
    """Return the rows of a table, each as a dictionary by column.

    Examples:
        >>> rows_of(pd.DataFrame({"dataset": ["bccd"], "value": [0.8]}))
        [{'dataset': 'bccd', 'value': 0.8}]
    """
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def rows_by(table: pd.DataFrame, *keys: str) -> dict[tuple[Any, ...], Row]:
    """Return the rows of a table by the values of some columns, which must tell them apart.

    Examples:
        >>> table = pd.DataFrame({"dataset": ["bccd"], "metric": ["accuracy"], "value": [0.8]})
        >>> rows_by(table, "dataset", "metric")["bccd", "accuracy"]["value"]
        0.8
    """
    return {tuple(row[key] for key in keys): row for row in rows_of(table)}
