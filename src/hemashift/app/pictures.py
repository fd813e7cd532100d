"""Pictures of cells for the page: as they are or colour-standardised, cached by content."""

from __future__ import annotations

import io
import os
import sqlite3
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image

from hemashift.app.refusals import ProjectError
from hemashift.colour import ColourTransform, create
from hemashift.errors import ImageError
from hemashift.files import sha256
from hemashift.images import Pixels, read_image

if TYPE_CHECKING:
    from hemashift.app.project import Project

Look = Literal["as_is", "standardised"]
Size = Literal["grid", "large", "full"]
SIDES: dict[Size, int | None] = {"grid": 128, "large": 512, "full": None}
"""Longest side in pixels, None for the image's own size. A picture is never enlarged."""

_QUALITY = 90


def picture(project: Project, cell: int, look: Look = "as_is", size: Size = "grid") -> bytes:
    """Return a picture of a cell as a JPEG file; it never changes for the same cell.

    Args:
        project: The project.
        cell: Id of the cell.
        look: As the file is, or with the colour transform `reinhard`.
        size: See `SIDES`.

    Raises:
        ProjectError: There is no such cell.
        ImageError: Its file is gone, was changed since, or cannot be read.
    """
    row = project.store.row("SELECT path, sha256, size, modified FROM cells WHERE id = ?", cell)
    if row is None or row["sha256"] is None:
        raise ProjectError("there is no such cell", found=str(cell))
    kept = _place(project, row["sha256"], look, size)
    try:
        return kept.read_bytes()
    except OSError:
        pass  # not drawn yet
    path = project.images / row["path"]
    if not unchanged(path, row):
        raise ImageError(
            "the image is gone or was changed", where=path, hint="import the folder again"
        )
    content = _draw(read_image(path), look, size)
    _keep(kept, content)
    return content


def keep(project: Project, digest: str, pixels: Pixels) -> None:
    """Draw and keep the thumbnail of an image that was just read.

    Args:
        project: The project.
        digest: SHA-256 of the file.
        pixels: uint8 (H, W, 3).
    """
    place = _place(project, digest, "as_is", "grid")
    if not place.exists():
        _keep(place, _draw(pixels, "as_is", "grid"))


def modified(status: os.stat_result) -> int:
    """Return when a file was last changed, in nanoseconds, also when it was put in place.

    An archive unpacks files, and a person renames them, with the dates that they had before.
    """
    # On Windows st_ctime is when the file was made.
    changed = status.st_ctime_ns if os.name == "posix" else 0
    return max(status.st_mtime_ns, changed)


def unchanged(path: Path, row: sqlite3.Row) -> bool:
    """Tell whether a file is as it was when it was imported.

    Args:
        path: The file.
        row: Its `size`, `modified` and `sha256` in the table of cells. Its content is looked at
            where the date is another, as in a copy of the project.
    """
    try:
        status = path.stat()
        if status.st_size != row["size"]:
            return False
        return bool(modified(status) == row["modified"] or sha256(path) == row["sha256"])
    except OSError:
        return False


def _place(project: Project, digest: str, look: Look, size: Size) -> Path:
    folder = project.cache / "pictures" / f"{look}-{size}" / digest[:2]
    return folder / f"{digest}.jpg"


def _draw(pixels: Pixels, look: Look, size: Size) -> bytes:
    image = Image.fromarray(pixels)
    side = SIDES[size]
    if side is not None:
        image.thumbnail((side, side))
    if look == "standardised":
        # After the size: the cost of colour goes with the number of pixels.
        image = Image.fromarray(_standard()(np.asarray(image)))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=_QUALITY, subsampling=0)
    return content.getvalue()


@cache
def _standard() -> ColourTransform:
    return create("reinhard")


def _keep(place: Path, content: bytes) -> None:
    """Write a file of the cache; other than a result it need not survive a loss of power."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        handle, aside = tempfile.mkstemp(dir=place.parent, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(aside).replace(place)
    except OSError:
        return  # the picture is drawn again when it is needed again
