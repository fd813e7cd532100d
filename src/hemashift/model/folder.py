"""The files of a model folder on disk: reading one of them, and what else lies beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hemashift.errors import ModelFileError


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a file of a model.

    Args:
        path: The file.
        limit: The most bytes that are believed to be a model's.

    Raises:
        ModelFileError: It is missing, cannot be read, or is larger.
    """
    try:
        size = path.stat().st_size
        if size > limit:
            raise ModelFileError(
                "a file of the model is far too large",
                expected=f"at most {limit} bytes",
                found=f"{size} bytes",
                where=path,
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            "a file of the model is missing or cannot be read",
            found=error.strerror,
            where=path,
            hint="copy the whole model folder again",
        ) from error


def is_empty_or_has_only(folder: Path, needed: str, others: Iterable[str]) -> bool:
    """Tell whether a real folder is empty, or holds the needed file and none but the others."""
    if not folder.is_dir() or folder.is_symlink():
        return False
    names = {path.name for path in folder.iterdir()}
    return not names or (needed in names and names <= {needed, *others})
