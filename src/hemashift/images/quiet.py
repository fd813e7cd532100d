"""Keeping decoders from writing to stderr: what is wrong with a file is told by the error."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import _imaging

# Pillow logs some oddities of a file; without any handler they would reach stderr.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_lock = threading.Lock()
_inside = 0
_filters: warnings.catch_warnings[None] | None = None


@contextmanager
def silence() -> Iterator[None]:
    """Keep the decoders' warnings off stderr, for as long as any thread decodes.

    `warnings.catch_warnings` alone restores a wrong state when threads overlap, so the first
    thread to enter sets the filter and the last one to leave takes it back.
    """
    global _inside, _filters
    with _lock:
        _inside += 1
        if _inside == 1:
            _filters = warnings.catch_warnings()
            _filters.__enter__()
            warnings.filterwarnings("ignore", module=r"PIL\.")
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _filters is not None:
                _filters.__exit__(None, None, None)
                _filters = None


def _silence_libtiff() -> None:
    """Take away libtiff's habit of printing errors from within C, past Python's stderr.

    Pillow raises an exception for each of them as well. Where Pillow is built in a way that
    hides libtiff, nothing is changed.
    """
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(_imaging.__file__)
        for name in ("TIFFSetErrorHandler", "TIFFSetWarningHandler"):
            setter = getattr(library, name)
            setter.argtypes = [ctypes.c_void_p]
            setter.restype = ctypes.c_void_p
            setter(None)


_silence_libtiff()
