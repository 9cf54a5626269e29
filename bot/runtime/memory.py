"""Returns freed memory to the system: settings of glibc's allocator for a long run."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3
"""mallopt(3): from how many bytes on a block is mapped by itself, and so returned as soon as it is freed."""
LARGE_BLOCK = 256 << 10
"""Bytes. By default glibc raises the threshold to the largest block freed so far, and after one answer with titles of a
megabyte kept tens of megabytes between small objects for good."""


def return_large_blocks() -> None:
    """Have large blocks returned when they are freed. Does nothing where the C library is not glibc."""
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)
    except (AttributeError, OSError):  # musl has no mallopt, and no such threshold
        return
