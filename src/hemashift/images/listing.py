"""Listing the images of a folder, always in the same order."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from hemashift.errors import ImageError

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})


def list_images(folder: str | Path) -> list[Path]:
    """List the images in a folder and its subfolders.

    Hidden files and folders, and the `._name` files that macOS leaves on foreign disks, are
    passed over, and so are links that lead out of the folder: nobody is to read, by way of a
    downloaded dataset, files that it does not contain. Linked folders are not entered.

    Args:
        folder: The folder.

    Returns:
        Paths that begin with `folder`, sorted by name.

    Raises:
        ImageError: The folder does not exist, cannot be read, or holds no image, or a name is not
            UTF-8.

    Examples:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> for name in ("b.png", "a.JPG", "._a.JPG", "notes.txt"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> [path.name for path in list_images(folder)]
        ['a.JPG', 'b.png']
    """
    folder = Path(folder)
    check_names([folder])
    if not folder.is_dir():
        raise ImageError(
            "this is a file, not a folder" if folder.exists() else "the folder does not exist",
            expected="a folder with images",
            where=folder,
            hint="check the path and its spelling",
        )
    images = sorted(_walk(folder))
    if not images:
        raise ImageError(
            "the folder holds no image",
            expected="files that end with " + ", ".join(sorted(SUFFIXES)),
            where=folder,
            hint="check that this is the right folder; zip files are not looked into",
        )
    check_names(images)
    return images


def check_names(paths: Iterable[str | Path]) -> None:
    """Refuse names that no table or page can hold, as old zip files leave them behind.

    Raises:
        ImageError: A name is not UTF-8, or was not read as UTF-8.
    """
    for path in paths:
        try:
            str(path).encode()
        except UnicodeEncodeError:
            name = _as_utf8(path)
            if name is not None:
                raise ImageError(
                    "names of files cannot be read, since the locale of this terminal is not UTF-8",
                    where=name,
                    hint="set the environment variable PYTHONUTF8=1, then do the same again",
                ) from None
            raise ImageError(
                "the name of a file or folder is not UTF-8",
                where=str(path).encode(errors="replace").decode(),
                hint="rename it, for instance with letters from a to z only",
            ) from None


def check_apart(output: str | Path, folder: str | Path) -> None:
    """Refuse to write pictures where they would be taken for cells the next time.

    Args:
        output: What is to be written: a picture, or a folder with pictures.
        folder: The folder of images.

    Raises:
        ImageError: The output lies in the folder.
    """
    if Path(output).resolve().is_relative_to(Path(folder).resolve()):
        raise ImageError(
            "pictures among the images would be taken for cells",
            expected=f"a place outside {folder}",
            where=output,
            hint="name one beside the folder",
        )


def _as_utf8(path: str | Path) -> str | None:
    """Return a name as it is on disk, None where it is not UTF-8 there."""
    try:
        return os.fsencode(path).decode()
    except UnicodeError:
        return None


def _walk(folder: Path) -> Iterator[Path]:
    root = folder.resolve()
    for parent, folders, names in os.walk(folder, onerror=_refuse, followlinks=False):
        # Changed in place, so that os.walk does not enter them.
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if path.is_symlink() and not _stays_inside(path, root):
                continue
            yield path


def _stays_inside(link: Path, root: Path) -> bool:
    try:
        return link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        # A link to nothing, or in a circle.
        return False


def _refuse(error: OSError) -> None:
    raise ImageError(
        "a folder cannot be read",
        found=str(error),
        where=error.filename,
        hint="check that you may read it",
    ) from error
