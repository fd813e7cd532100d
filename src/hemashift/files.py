"""Writing files so that an interrupted or failed write never leaves half a file behind."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hemashift.errors import HemashiftError

_IN_ARCHIVE = ".zip!/"


@contextmanager
def named_in_errors(path: str | Path) -> Iterator[None]:
    """Let an error of the system name this place, where it names none, as on a full disk.

    Args:
        path: The file or folder that is written.
    """
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno is not None:
            error.filename = str(path)
        raise


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
        with named_in_errors(path):
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


@contextmanager
def written_together(folder: str | Path) -> Iterator[Path]:
    """Give a folder aside; on success its files move into `folder`, on error none of them does.

    So files that belong together, such as a page and its figures, are never of two runs, as
    when the disk fills up between them.

    Args:
        folder: Where the files belong; made if missing. What else is there stays.

    Yields:
        An empty folder, to be filled by the caller.

    Examples:
        >>> import tempfile
        >>> report = Path(tempfile.mkdtemp())
        >>> with written_together(report) as aside:
        ...     _ = (aside / "page.html").write_text("")
        >>> [one.name for one in report.iterdir()]
        ['page.html']
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".", suffix=".part", dir=folder))
    try:
        with named_in_errors(folder):
            yield aside
            for one in sorted(aside.rglob("*")):
                place = folder / one.relative_to(aside)
                if one.is_dir():
                    place.mkdir(exist_ok=True)
                else:
                    one.replace(place)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def forward_slashes(path: str) -> str:
    r"""Write a path of a table as all systems can read it, also one that Windows wrote.

    Examples:
        >>> forward_slashes("day 0\\a.png")
        'day 0/a.png'
    """
    return path.replace("\\", "/")


def on_disk(path: Path) -> Path:
    """Return a path as the disk spells it: a Mac writes an accent apart from its letter (NFD).

    Args:
        path: Any path. It comes back as it is where there is no such file in any spelling.
    """
    if str(path).isascii() or os.path.lexists(path):
        return path
    here = Path()
    for part in path.parts:
        spellings = (part, *(unicodedata.normalize(form, part) for form in ("NFC", "NFD")))
        here /= next((one for one in spellings if os.path.lexists(here / one)), part)
    return here


def check_writable(path: str | Path) -> None:
    """Refuse a place where nothing can be written, before hours of work and not after them.

    Args:
        path: A file or folder to be written; its parent folders need not exist yet.

    Raises:
        HemashiftError: A file is in the way of a folder, or writing is not allowed.
    """
    path = Path(path).absolute()
    nearest = next((place for place in (path, *path.parents) if place.exists()), path)
    if nearest != path and not nearest.is_dir():
        found = f"{nearest} is a file, not a folder"
    elif not os.access(nearest if nearest.is_dir() else nearest.parent, os.W_OK):
        found = f"{nearest} may not be written to"
    else:
        return
    raise HemashiftError(
        "the output cannot be written", found=found, where=path, hint="name another place"
    )


def check_file(path: str | Path) -> None:
    """Refuse a place where no file can be written, see `check_writable`.

    Raises:
        HemashiftError: There is a folder, or nothing can be written.
    """
    if Path(path).is_dir():
        raise HemashiftError("the output is a folder", expected="a file", where=path)
    check_writable(path)


def split_archive_path(path: str | Path) -> tuple[str, str] | None:
    """Split `archive.zip!/inner/name.jpg` into the archive and the member.

    A folder may be called `archive.zip!`, too; what lies in it is an ordinary file.

    Args:
        path: Any path.

    Returns:
        The two parts, or None where the path is that of an ordinary file.

    Examples:
        >>> split_archive_path("cells.zip!/0/a.jpg")
        ('cells.zip', '0/a.jpg')
        >>> split_archive_path("cells/a.jpg") is None
        True
    """
    text = str(path)
    start = text.lower().find(_IN_ARCHIVE)
    end = start + len(".zip")
    if start < 0 or Path(text[: end + 1]).is_dir():
        return None
    return text[:end], text[start + len(_IN_ARCHIVE) :]


def check_spares(
    path: str | Path, inputs: Iterable[str | Path | None], what: str = "an input"
) -> None:
    """Refuse to write over a file that is read, by whatever name it goes.

    Args:
        path: The file to be written.
        inputs: Files that are read; they need not exist, and None is passed over.
        what: What they are.

    Raises:
        HemashiftError: The file is one of them.
    """
    path = Path(path)
    if path.exists() and any(
        one is not None and Path(one).exists() and path.samefile(one) for one in inputs
    ):
        raise HemashiftError(
            f"the output would overwrite {what}", where=path, hint="name another file"
        )


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
