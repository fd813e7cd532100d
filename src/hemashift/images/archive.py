"""Reading the bytes of a file, also of one within a zip file, without unpacking to disk."""

from __future__ import annotations

import os
import threading
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path, PurePosixPath

from hemashift.errors import ImageError
from hemashift.files import split_archive_path
from hemashift.images.limits import DEFAULT_LIMITS, Limits

# Python 3.12 and 3.13 skip the header of a member from where another thread has left the file
# (zipfile seeks from the shared position), so that one thread at a time is in an archive.
_READING = threading.Lock()


def read_bytes(path: str | Path, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Read a file or zip member whole, up to the size limit.

    Args:
        path: An ordinary file or `archive.zip!/inner/name.jpg`.
        limits: The largest size to accept.

    Returns:
        The bytes.

    Raises:
        ImageError: The file or member is missing, not a regular file, unreadable, encrypted,
            damaged, or larger than the limit.
    """
    parts = split_archive_path(path)
    if parts is None:
        return _read_file(Path(path), limits)
    return _read_member(*parts, where=str(path), limits=limits)


def _read_file(path: Path, limits: Limits) -> bytes:
    try:
        if path.is_dir():
            raise ImageError(
                "this is a folder, not an image",
                where=path,
                hint="give the path of one image file",
            )
        if not path.is_file():
            special = path.exists()
            raise ImageError(
                "this is not a regular file" if special else "the image file does not exist",
                where=path,
                hint="check the path" if special else "check the path and its spelling",
            )
        # Read one byte beyond the limit: the size on record can be outdated.
        with path.open("rb") as stream:
            _check_length(os.fstat(stream.fileno()).st_size, str(path), limits)
            content = stream.read(limits.max_bytes + 1)
    except (OSError, ValueError) as error:
        raise ImageError(
            "the image file cannot be read",
            found=str(error),
            where=str(path),
            hint="check the path and that you may read the file",
        ) from error
    _check_length(len(content), str(path), limits)
    return content


def _read_member(archive: str, member: str, *, where: str, limits: Limits) -> bytes:
    if PurePosixPath(member).is_absolute() or ".." in PurePosixPath(member).parts:
        raise ImageError(
            "a name within a zip file must not lead out of it",
            found=member,
            where=where,
            hint="write archive.zip!/folder/name.jpg without '..' or a leading '/'",
        )
    opened = _open_archive(archive, where)
    try:
        info = opened.getinfo(member)
        _check_length(info.file_size, where, limits)
        with _READING, opened.open(info) as stream:
            content = stream.read(limits.max_bytes + 1)
    except KeyError as error:
        raise ImageError(
            "the zip file does not hold this image",
            found=f"{len(opened.namelist())} other members",
            where=where,
            hint="check the name within the zip file; upper and lower case differ",
        ) from error
    except RuntimeError as error:
        # zipfile's way to say that a password, or a compression it lacks, is needed.
        raise ImageError(
            "the image in the zip file cannot be unpacked",
            found=str(error),
            where=where,
            hint="unpack the zip file yourself and give the folder",
        ) from error
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise _damaged_archive(error, where) from error
    _check_length(len(content), where, limits)
    return content


def _open_archive(archive: str, where: str) -> zipfile.ZipFile:
    try:
        status = Path(archive).stat()
        return _cached_archive(archive, status.st_mtime_ns, status.st_size, os.getpid())
    except FileNotFoundError as error:
        raise ImageError(
            "the zip file does not exist", where=where, hint="check the path and its spelling"
        ) from error
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError) as error:
        raise _damaged_archive(error, where) from error


@lru_cache(maxsize=4)
def _cached_archive(archive: str, mtime: int, size: int, pid: int) -> zipfile.ZipFile:
    """Keep a few archives open: reading the list of members costs more than one image.

    The process id is part of the key since a forked worker shares its parent's file position.
    """
    return zipfile.ZipFile(archive)


def _check_length(length: int, where: str, limits: Limits) -> None:
    if length > limits.max_bytes:
        raise ImageError(
            "the file is too large for an image",
            expected=f"at most {limits.max_bytes:,} bytes",
            found=f"{length:,} bytes or more",
            where=where,
            hint="check that this is an image, or raise Limits.max_bytes if you trust the file",
        )


def _damaged_archive(error: Exception, where: str) -> ImageError:
    return ImageError(
        "the zip file cannot be read",
        expected="a complete zip file",
        found=str(error) or type(error).__name__,
        where=where,
        hint="download or copy the zip file again",
    )
