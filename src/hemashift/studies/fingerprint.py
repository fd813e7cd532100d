"""Names for what a result depends on: hashes of facts, of image files, of cells and datasets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from hemashift.cells import CellTable
from hemashift.files import atomic_write, sha256, split_archive_path

_COLUMNS = ["path", "x_min", "y_min", "x_max", "y_max", "label", "class", "subset", "group"]


def key_of(facts: Mapping[str, Any]) -> str:
    """Return a short hash of facts, 24 hexadecimal digits.

    Args:
        facts: JSON values; the order of the names does not matter.

    Examples:
        >>> key_of({"a": 1, "b": [2.5]}) == key_of({"b": [2.5], "a": 1})
        True
    """
    text = json.dumps(facts, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Hashes:
    """The SHA-256 of image files, each read once as long as its size and time do not change.

    Args:
        memory: Parquet file in which hashes are remembered from one start to the next.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, str] = {}
        # A damaged memory counts as none: all it costs is to read the files again.
        with suppress(OSError, ValueError, KeyError):
            frame = pd.read_parquet(memory)
            self._known = dict(zip(frame["file"], frame["sha256"], strict=True))

    def of_files(self, paths: Iterable[Path]) -> dict[Path, str]:
        """Return the hash of each file.

        Raises:
            OSError: A file cannot be read.
        """
        stamps = {path: _stamp(path) for path in paths}
        fresh = {path: sha256(path) for path, stamp in stamps.items() if stamp not in self._known}
        if fresh:
            self._known |= {stamps[path]: digest for path, digest in fresh.items()}
            frame = pd.DataFrame({"file": self._known.keys(), "sha256": self._known.values()})
            with atomic_write(self._memory) as aside:
                frame.to_parquet(aside, index=False)
        return {path: self._known[stamp] for path, stamp in stamps.items()}

    def of_cells(self, cells: CellTable) -> list[str]:
        """Return a name for what each cell shows: content of the image, and the box in it.

        The same picture has the same name wherever it lies. A file within an archive is named by
        the archive's content and its place in it.

        Raises:
            OSError: A file cannot be read.
        """
        places = [split_archive_path(path) or (str(path), "") for path in cells.paths()]
        digests = self.of_files(sorted({Path(file) for file, _ in places}))
        return [
            key_of({"file": digests[Path(file)], "within": inner, "box": box and list(box)})
            for (file, inner), box in zip(places, cells.boxes(), strict=True)
        ]

    def of_table(self, cells: CellTable) -> str:
        """Return a hash of all that is known of the cells; where the dataset lies plays no part.

        Raises:
            OSError: A file cannot be read.
        """
        rows = cells.frame[_COLUMNS].to_csv(index=False, lineterminator="\n")
        return key_of({"rows": rows, "cells": self.of_cells(cells)})


def _stamp(path: Path) -> str:
    found = path.stat()
    return f"{path}|{found.st_size}|{found.st_mtime_ns}"
