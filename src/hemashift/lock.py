"""A file that one process at a time holds, until it lets go or ends, however it ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hemashift.errors import HemashiftError

_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # on some network drives


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold an empty file that is there no longer than needed; nobody else can meanwhile.

    Args:
        path: The file. Missing parent folders are made.

    Raises:
        HemashiftError: Somebody else holds it: another process, or another thread.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = _held(path)
    try:
        yield
    finally:
        # Windows removes no open file, and none that the next one has opened by then.
        if sys.platform == "win32":
            os.close(handle)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(handle)


def _held(path: Path) -> int:
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        if not _locked(handle):
            os.close(handle)
            raise HemashiftError(
                "another run is writing this output now",
                where=path,
                hint="wait until it has ended, or give this one another output",
            )
        if sys.platform == "win32" or _is_there(path, handle):
            return handle
        os.close(handle)  # the one before removed the file when it had just been opened here


def _locked(handle: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in _NO_LOCKS
    return True


def _is_there(path: Path, handle: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except FileNotFoundError:
        return False
