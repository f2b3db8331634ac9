"""Loading code without going through it over and over: a short command is mostly that."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """For imports that make many objects, all of which stay: Python's collector, which looks at
    them again as they grow more, is off until the end, and leaves them out from then on."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
