"""Results so far, on disk, so that an interrupted run goes on where it stopped.

The journal is the folder ``<output>.partial`` beside the output: ``settings.json``, and one
Parquet file for each stretch of rows, named by its first row. Stretches are written in order
and whole, so what is there is always the beginning of the result. Each says by a hash which
settings it is for. While a run is at work, it holds ``<output>.partial.lock``.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hemashift.errors import HemashiftError
from hemashift.files import atomic_write
from hemashift.lock import only_one

SETTINGS = "settings.json"
_HASH = b"hemashift_settings"
# Also what an end amid the writing of a file leaves.
_OURS = re.compile(r"settings\.json|\d{9,}\.parquet|\.(settings|\d{9,})-.*\.part\.(json|parquet)")
# What file managers leave in any folder.
_LITTER = re.compile(r"\.DS_Store|Thumbs\.db|desktop\.ini", re.IGNORECASE)


class Journal:
    """Finished stretches of rows; nobody else can write them until `close`.

    Args:
        output: The output that the rows are for.
        settings: Everything that rows depend on, as JSON values.
        schema: Columns of a row.
        resume: Whether to keep what an earlier run of the same settings left.

    Attributes:
        restarted: Why earlier rows were thrown away, or None.

    Raises:
        HemashiftError: Another run is at work on this output, or files of somebody are in the way.
    """

    def __init__(
        self, output: Path, settings: Mapping[str, Any], schema: pa.Schema, *, resume: bool = True
    ) -> None:
        self.folder = output.with_name(output.name + ".partial")
        self.schema = schema
        self.restarted: str | None = None
        self._hash = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()
        with ExitStack() as held:
            held.enter_context(only_one(output.with_name(output.name + ".partial.lock")))
            self._open(settings, resume)
            self._parts = self._readable_parts()
            self._held = held.pop_all()
        self.n_rows = sum(rows for _, rows in self._parts)

    def append(self, rows: pa.Table) -> None:
        """Add the rows that follow; on return they are on disk."""
        if rows.num_rows == 0:
            return
        path = self.folder / f"{self.n_rows:09d}.parquet"
        with atomic_write(path) as aside:
            pq.write_table(rows.replace_schema_metadata({_HASH: self._hash}), aside)
        self._parts.append((path, rows.num_rows))
        self.n_rows += rows.num_rows

    def read(self) -> Iterator[pa.Table]:
        """Yield all rows in order, one stretch at a time."""
        for path, _ in self._parts:
            yield pq.read_table(path, schema=self.schema)

    def discard(self) -> None:
        """Remove the journal: out of the way as a whole, then file by file."""
        aside = tempfile.mkdtemp(
            prefix=f".{self.folder.name}-", suffix=".part", dir=self.folder.parent
        )
        try:
            self.folder.rename(Path(aside) / "old")
        finally:
            shutil.rmtree(aside)

    def close(self) -> None:
        """Let the next run at the output."""
        self._held.close()

    def _open(self, settings: Mapping[str, Any], resume: bool) -> None:
        self._refuse_foreign_folder()
        if self.folder.exists():
            self.restarted = self._reason_to_restart(settings) if resume else "as asked for"
            if self.restarted is not None:
                self.discard()
        if not self.folder.exists():
            self.folder.mkdir()
            with atomic_write(self.folder / SETTINGS) as aside:
                aside.write_text(json.dumps(settings, indent=2), encoding="utf-8")

    def _refuse_foreign_folder(self) -> None:
        if not self.folder.exists():
            return
        names = {path.name for path in self.folder.iterdir()} if self.folder.is_dir() else {"?"}
        if not all(_OURS.fullmatch(name) or _LITTER.fullmatch(name) for name in names):
            raise HemashiftError(
                "a file or folder is in the way of the unfinished results",
                where=self.folder,
                hint="move it elsewhere, or give the output another name",
            )

    def _reason_to_restart(self, settings: Mapping[str, Any]) -> str | None:
        try:
            before = json.loads((self.folder / SETTINGS).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            before = None
        if not isinstance(before, dict):
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
            known = (schema.metadata or {}).get(_HASH) == self._hash.encode()
            if not known or not schema.equals(self.schema) or rows == 0:
                break
            parts.append((path, rows))
            start += rows
        return parts
