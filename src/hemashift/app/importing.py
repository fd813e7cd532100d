"""Import: which images the folder holds, which of them are new, and which cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hemashift.app import pictures
from hemashift.app.filing import File, Filing, Imported
from hemashift.errors import ImageError
from hemashift.files import sha256
from hemashift.images import list_images, read_cell
from hemashift.model.runtime import available_threads
from hemashift.progress import StageProgress

if TYPE_CHECKING:
    from hemashift.app.project import Project

# Cells appear on the page in such portions; an interruption costs no more than one.
_PORTION = 64


@dataclass(frozen=True)
class Problem:
    """An image that cannot be used.

    Attributes:
        path: Where it is, relative to the folder of images.
        message: Why not.
        hint: What to do about it, or empty.
    """

    path: str
    message: str
    hint: str


def refresh(project: Project, told: StageProgress | None = None) -> Imported:
    """Bring the project up to date with its folder.

    Only new and changed files are read, and those that could not be read before: it may have been
    for a reason that has passed, such as a network that was down. Cells are there for
    `labelling.queue` and `reviewing.gallery` as they come in. An image that was moved or renamed
    keeps all that is known of it; it is recognised by its content.

    Args:
        project: The project.
        told: Told "importing", the number of files looked at, and their total.

    Raises:
        ImageError: The folder is no longer there, or holds no image.
    """
    tell = told or (lambda step, done, total: None)
    paths = list_images(project.images)
    there = {path.relative_to(project.images).as_posix(): path for path in paths}
    present = {
        row["path"]: row
        for row in project.store.rows(
            "SELECT id, path, size, modified, status FROM cells WHERE status <> 'gone'"
        )
    }
    stamps = [_stamp(name, path) for name, path in there.items()]
    changed = [file for file in stamps if file.path in present and not _same(file, present)]
    new = [file for file in stamps if file.path not in present]
    lost = [row["id"] for name, row in present.items() if name not in there]
    filing = Filing(project, lost)
    done = len(there) - len(changed) - len(new)
    tell("importing", done, len(there))
    with ThreadPoolExecutor(available_threads()) as pool:
        # All changed files at once, and first: two of them may have exchanged their names.
        for files in (changed, *_portions(new)):
            looked = []
            for file in pool.map(partial(_look, project), files):
                looked.append(file)
                tell("importing", done + len(looked), len(there))
            filing.put(looked)
            done += len(looked)
    return filing.finish()


def problems(project: Project) -> list[Problem]:
    """Return the images that cannot be used, by path."""
    rows = project.store.rows(
        "SELECT path, problem, hint FROM cells WHERE status = 'problem' ORDER BY path"
    )
    return [Problem(*row) for row in rows]


def _portions(files: Sequence[File]) -> Iterator[Sequence[File]]:
    for start in range(0, len(files), _PORTION):
        yield files[start : start + _PORTION]


def _same(file: File, present: Mapping[str, sqlite3.Row]) -> bool:
    """Tell whether a file can be used and is as it was when it was read last."""
    row = present[file.path]
    known = (row["size"], row["modified"]) == (file.size, file.modified)
    return known and row["status"] == "ready"


def _stamp(name: str, path: Path) -> File:
    try:
        status = path.stat()
    except OSError:
        return File(name, -1, -1)
    return File(name, status.st_size, pictures.modified(status))


def _look(project: Project, file: File) -> File:
    """Read one file, keep its thumbnail, and say whether it can be used."""
    path = project.images / file.path
    digest = None
    try:
        digest = sha256(path)
        pixels = read_cell(path)
    except OSError as error:
        reason = error.strerror or str(error)
        return file._replace(problem=f"the file cannot be read: {reason}")
    except ImageError as error:
        found = f" ({error.found})" if error.found else ""
        return file._replace(sha256=digest, problem=error.message + found, hint=error.hint or "")
    pictures.keep(project, digest, pixels)
    return file._replace(sha256=digest)
