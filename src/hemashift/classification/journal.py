"""Results so far, on disk, so that an interrupted run goes on where it stopped.

The journal is the folder ``<output>.partial`` beside the output: ``settings.json``, and one
Parquet file for each stretch of rows, named by its first row. Stretches are written in order
and whole, so what is there is always the beginning of the result.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write

SETTINGS = "settings.json"
# What file managers leave in any folder, and an end amid the writing of the settings in this one.
_LITTER = re.compile(r"\.DS_Store|Thumbs\.db|desktop\.ini|\.settings-.*\.part\.json", re.IGNORECASE)


class Journal:
    """Finished stretches of rows.

    Args:
        output: The output that the rows are for.
        settings: Everything that rows depend on, as JSON values.
        schema: Columns of a row.

    Attributes:
        restarted: Why earlier rows were thrown away, or None.
    """

    def __init__(
        self, output: Path, settings: Mapping[str, Any], schema: pa.Schema, *, resume: bool = True
    ) -> None:
        self.folder = output.with_name(output.name + ".partial")
        self.schema = schema
        self.restarted: str | None = None
        self._refuse_foreign_folder()
        if self.folder.exists():
            self.restarted = self._reason_to_restart(settings) if resume else "as asked for"
            if self.restarted is not None:
                self.discard()
        if not self.folder.exists():
            self.folder.mkdir(parents=True)
            with atomic_write(self.folder / SETTINGS) as aside:
                aside.write_text(json.dumps(settings, indent=2), encoding="utf-8")
        self._parts = self._readable_parts()
        self.n_rows = sum(rows for _, rows in self._parts)

    def append(self, rows: pa.Table) -> None:
        """Add the rows that follow; on return they are on disk."""
        if rows.num_rows == 0:
            return
        path = self.folder / f"{self.n_rows:09d}.parquet"
        with atomic_write(path) as aside:
            pq.write_table(rows, aside)
        self._parts.append((path, rows.num_rows))
        self.n_rows += rows.num_rows

    def read(self) -> Iterator[pa.Table]:
        """Yield all rows in order, one stretch at a time."""
        for path, _ in self._parts:
            yield pq.read_table(path, schema=self.schema)

    def discard(self) -> None:
        """Remove the journal."""
        shutil.rmtree(self.folder)

    def _refuse_foreign_folder(self) -> None:
        if not self.folder.exists():
            return
        names = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else {"?"}
        names = {name for name in names if not _LITTER.fullmatch(name)}
        ours = {name for name in names if name == SETTINGS or name.endswith(".parquet")}
        if names != ours or (names and SETTINGS not in names):
            raise HemashiftError(
                "a file or folder is in the way of the unfinished results",
                where=self.folder,
                hint="move it elsewhere, or give the output another name",
            )

    def _reason_to_restart(self, settings: Mapping[str, Any]) -> str | None:
        try:
            before = json.loads((self.folder / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return "its settings are not readable"
        changed = [name for name in settings if before.get(name) != settings[name]]
        return f"{' and '.join(changed)} changed" if changed else None

    def _readable_parts(self) -> list[tuple[Path, int]]:
        """The unbroken beginning; anything behind a gap or a damaged file is not used."""
        parts: list[tuple[Path, int]] = []
        start = 0
        while (path := self.folder / f"{start:09d}.parquet").exists():
            try:
                part = pq.ParquetFile(path)
                rows, schema = part.metadata.num_rows, part.schema_arrow
                part.close()
            except (OSError, pa.ArrowException):
                break
            if not schema.equals(self.schema) or rows == 0:
                break
            parts.append((path, rows))
            start += rows
        return parts
