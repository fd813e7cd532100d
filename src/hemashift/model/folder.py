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


def foreign_to(folder: Path, needed: str, others: Iterable[str]) -> str | None:
    """Say what keeps a place from being an empty folder, or one of these files and no others.

    Args:
        folder: The place.
        needed: The file that must be there if any is.
        others: Files that may be there.

    Returns:
        What was found, or None if nothing is in the way.
    """
    if folder.is_symlink():
        return "a link"
    if not folder.is_dir():
        return "a file"
    names = {path.name for path in folder.iterdir()}
    foreign = sorted(names - {needed, *others})
    if foreign:
        return f"{foreign[0]} in the folder, which is no file of a model"
    return f"no {needed} in the folder" if names and needed not in names else None
