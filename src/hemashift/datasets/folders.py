"""Looking through folders: what is a subfolder, what is an image, what lies nearby."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

from hemashift.errors import DatasetError

# In order of preference, where one picture lies there in several forms: lossless first.
IMAGE_SUFFIXES = (".tiff", ".tif", ".bmp", ".png", ".webp", ".jpg", ".jpeg")


def subfolders(folder: Path) -> dict[str, Path]:
    """Return the visible folders inside a folder by name, in natural order."""
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if not _hidden(e.name) and e.is_dir()]
    except OSError:
        return {}
    return {name: folder / name for name in sorted(names, key=natural)}


def images_in(folder: Path, one_a_stem: bool = False) -> list[Path]:
    """Return the image files directly inside a folder, in natural order.

    Args:
        folder: The folder; a missing one holds no image.
        one_a_stem: Of `a.tiff` and `a.jpg`, keep the one that lost least.
    """
    try:
        with os.scandir(folder) as entries:
            names = [e.name for e in entries if is_image(e.name) and e.is_file()]
    except OSError:
        return []
    names.sort(key=natural)
    if one_a_stem:
        best: dict[str, str] = {}
        for name in sorted(names, key=lambda n: IMAGE_SUFFIXES.index(Path(n).suffix.lower())):
            best.setdefault(Path(name).stem, name)
        names = [name for name in names if best[Path(name).stem] == name]
    return [folder / name for name in names]


def first_image(folder: Path) -> str:
    """Return the name of some image inside a folder, or an empty text; cheap in a large one."""
    try:
        with os.scandir(folder) as entries:
            return next((e.name for e in entries if is_image(e.name)), "")
    except OSError:
        return ""


def images_below(folder: Path) -> Iterator[Path]:
    """Yield all image files at any depth, in natural order, without following links out."""
    yield from images_in(folder)
    for below in subfolders(folder).values():
        if not below.is_symlink():
            yield from images_below(below)


def nearby(root: Path, depth: int = 3) -> Iterator[Path]:
    """Yield a folder (or file) and the folders at most so deep in it, the nearer ones first."""
    if not root.exists():
        return
    level = [root]
    for _ in range(depth):
        yield from level
        level = [below for folder in level for below in subfolders(folder).values()]
    yield from level


def wrapped(folder: Path, depth: int = 3) -> Iterator[Path]:
    """Yield a folder, and what it wraps: the only folder in it, and the only one in that.

    Archives unpack so, `PBC_dataset_normal_DIB/PBC_dataset_normal_DIB/<class>`.
    """
    for _ in range(depth):
        yield folder
        inner = subfolders(folder)
        if len(inner) != 1 or first_image(folder):
            return
        folder = next(iter(inner.values()))
    yield folder


def natural(name: str) -> list[tuple[int, int, str]]:
    """Return a sort key that puts `2.jpg` before `10.jpg`."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(p), p) if p.isdecimal() else (1, 0, p.casefold()) for p in parts]


def is_image(name: str) -> bool:
    """Tell by its name whether a file is an image and no hidden one."""
    return not _hidden(name) and os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES  # noqa: PTH122


def relative(path: Path, folder: Path) -> str:
    """Return a path as it is written in the table: relative, with forward slashes."""
    return path.relative_to(folder).as_posix()


def inside(name: str, folder: Path, where: str | Path) -> Path:
    """Return the file that an annotation names, which must lie inside the folder.

    It begins as the folder is written, be that relative or absolute.

    Raises:
        DatasetError: If the name is absolute or leads out of the folder.
    """
    start = Path(os.path.abspath(folder))  # noqa: PTH100
    place = Path(os.path.abspath(start / name.replace("\\", "/")))  # noqa: PTH100
    if not place.is_relative_to(start):
        raise DatasetError(
            "an annotation names an image outside the dataset", found=name, where=where
        )
    return folder / place.relative_to(start)


def csv_rows(path: Path) -> list[list[str]]:
    """Return the rows of the labels of a dataset, a CSV file in UTF-8.

    Raises:
        DatasetError: If it cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline="")))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        encoding = isinstance(error, UnicodeDecodeError)
        raise DatasetError(
            "the labels cannot be read",
            found="text that is not UTF-8" if encoding else str(error),
            where=path,
            hint="download the file again, or save it as CSV in UTF-8",
        ) from None


def _hidden(name: str) -> bool:
    return name.startswith(".") or name == "__MACOSX"
