"""What to classify: a folder, a cell table or a list of files, brought to one list."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from hemashift.cell_schema import COLUMNS
from hemashift.cells import Box, CellTable
from hemashift.errors import HemashiftError, TableError
from hemashift.evaluation.tables import PROBABILITY_PREFIX
from hemashift.files import check_file, forward_slashes, on_disk, split_archive_path
from hemashift.images import check_names, list_images
from hemashift.tables import column_names, is_table, read_table

Images = str | Path | CellTable | Sequence[str | Path]


class Item(NamedTuple):
    """One cell to classify.

    Attributes:
        name: What the output calls the file.
        path: The file; within a zip file written ``archive.zip!/inner/name.jpg``.
        box: Where in it the cell is; None for the whole image.
    """

    name: str
    path: Path
    box: Box | None = None


def list_items(images: Images) -> list[Item]:
    """List the cells to classify, in the order of the output.

    Args:
        images: A folder (searched with its subfolders), one image, a cell table or its file, or
            a list of images.

    Raises:
        ImageError: The folder does not exist or holds no image, or a name is not UTF-8.
        TableError: The file of the table is no cell table.
        HemashiftError: The table or list is empty.
    """
    if isinstance(images, str | Path) and Path(images).is_file():
        file = Path(images)
        images = read_cells(file, file.parent) if is_table(file) else [file]
    if isinstance(images, CellTable):
        names = [Path(name).as_posix() for name in images.frame["path"]]
        items = list(map(Item, names, map(on_disk, images.paths()), images.boxes()))
    elif isinstance(images, str | Path):
        folder = Path(images)
        items = [Item(p.relative_to(folder).as_posix(), p) for p in list_images(folder)]
    else:
        items = [Item(Path(path).as_posix(), on_disk(Path(path))) for path in images]
    if not items:
        raise HemashiftError("there is nothing to classify", expected="at least one image")
    check_names(item.name for item in items)
    return items


def read_cells(table: str | Path, root: str | Path) -> CellTable:
    """Read which cells to classify, from a table that needs nothing but a column ``path``.

    Args:
        table: CSV (comma, semicolon or tab), Parquet or JSON lines. With ``x_min``, ``y_min``,
            ``x_max``, ``y_max`` a row is a box of an image, in pixels, half-open.
        root: Folder that relative paths start from.

    Raises:
        TableError: A column or value is not usable.
    """
    frame = read_table(table)
    if "path" not in frame.columns:
        raise TableError(
            "the table has no column 'path'", found=", ".join(frame.columns), where=table
        )
    frame = frame.reindex(columns=list(COLUMNS)).astype(object)
    frame = frame.where(frame.notna() & (frame != ""), None)
    paths = [forward_slashes(one) if isinstance(one, str) else one for one in frame["path"]]
    frame = frame.assign(path=paths, group=paths, dataset="images")
    return CellTable(frame, Path(root))


def fingerprint(items: Iterable[Item]) -> str:
    """Return a hash of names, boxes, sizes and dates: other or changed images, another hash."""
    digest = hashlib.sha256()
    for item in items:
        digest.update(repr((item.name, item.box, *_stamp(item.path))).encode())
    return digest.hexdigest()


def refuse_overwriting(output: Path, items: Iterable[Item]) -> None:
    """Check that the output can be written, and is not one of the images, nor a file of labels.

    Raises:
        HemashiftError: It cannot, or it is.
    """
    check_file(output)
    if not output.exists():
        return
    if _holds_labels(output):
        raise HemashiftError(
            "the output would overwrite labels", where=output, hint="name another file"
        )
    target = output.stat()
    for item in items:
        try:
            status = _file_of(item.path).stat()
        except OSError:
            continue
        if os.path.samestat(status, target):
            raise HemashiftError(
                "the output would overwrite an input", where=output, hint="name another file"
            )


def _holds_labels(file: Path) -> bool:
    """Tell a table of labels from one of results, which has a probability for each class."""
    names = column_names(file)
    return "label" in names and not any(name.startswith(PROBABILITY_PREFIX) for name in names)


def _file_of(path: Path) -> Path:
    inside = split_archive_path(path)
    return path if inside is None else Path(inside[0])


def _stamp(path: Path) -> tuple[int, int]:
    try:
        status = _file_of(path).stat()
    except OSError:
        return (-1, -1)  # reported for this image when its turn comes
    return (status.st_size, status.st_mtime_ns)
