"""Freed memory kept for the next step, instead of given back and asked for again.

A step allocates the same large maps every time. glibc takes each of them straight from the kernel
and returns it, and the kernel clears every page anew: on a virtual machine a third of a step.
"""

from __future__ import annotations

import ctypes

# glibc's malloc.h
_TRIM_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -4, -8


def keep_freed_memory() -> bool:
    """Whether this process now keeps what it frees; no, where its C library is not glibc.

    Its memory then stays as large as it has ever been: for a process that trains and nothing else.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    wanted = ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, 2**31 - 1), (_ARENA_MAX, 1))
    answers = {int(mallopt(name, value)) for name, value in wanted}
    return answers == {1}  # done
