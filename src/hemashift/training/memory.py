"""Keeping freed memory in the process: on Linux, returning it costs more than the arithmetic."""

from __future__ import annotations

import ctypes
import sys


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to keep large freed blocks for the next step.

    Eager PyTorch on a CPU allocates and frees every activation. By default glibc hands such blocks
    back to the kernel, which clears each page again when it is next touched.

    Returns:
        Whether the allocator took the settings (only glibc has them).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # names and values of malloc.h
    settings = ((mmap_max, 0), (trim_threshold, 2**31 - 1), (top_pad, 2**28))
    return all(mallopt(name, value) == 1 for name, value in settings)
