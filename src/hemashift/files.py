"""Writing files so that an interrupted or failed write never leaves half a file behind."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def atomic_write(path: str | Path) -> Iterator[Path]:
    r"""Give a temporary path beside `path`; on success it replaces `path`, on error it vanishes.

    Args:
        path: The file to write. Missing parent folders are made.

    Yields:
        A path with the same suffix in the same folder, to be written by the caller.

    Examples:
        >>> import tempfile
        >>> target = Path(tempfile.mkdtemp()) / "table.csv"
        >>> with atomic_write(target) as aside:
        ...     _ = aside.write_text("path,label\n")
        >>> target.read_text()
        'path,label\n'
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem}-", suffix=".part" + path.suffix, dir=path.parent
    )
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        # mkstemp makes a private file; a result should be as readable as any other new file.
        umask = os.umask(0)
        os.umask(umask)
        aside.chmod(0o666 & ~umask)
        with aside.open("rb+") as written:
            os.fsync(written.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
