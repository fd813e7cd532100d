"""Datasets: one reader a published dataset or format, all of one small contract."""

from hemashift.datasets.base import DatasetReader
from hemashift.datasets.registry import (
    Opened,
    available,
    find_data_root,
    get,
    load,
    open_table,
    published,
    recognise,
)

__all__ = [
    "DatasetReader",
    "Opened",
    "available",
    "find_data_root",
    "get",
    "load",
    "open_table",
    "published",
    "recognise",
]
