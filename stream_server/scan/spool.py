"""Inputs that can be read only once: standard input, pipes. They are kept in a file meanwhile."""

from __future__ import annotations

import os
import select
import stat
import sys
import threading
from pathlib import Path
from typing import IO

from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

_CHUNK = 1 << 20
_LOOK_UP = 0.5  # seconds between two looks at whether anyone still wants it


def is_pipe(path: Path) -> bool:
    """Whether ``path`` can be read only once."""
    try:
        return stat.S_ISFIFO(path.stat().st_mode)
    except (OSError, ValueError):
        return False  # what is wrong with it is told when it is opened


def spool(
    source: Path | None, name: str, folder: Path, max_bytes: int, unwanted: threading.Event
) -> Path:
    """Copy ``source``, or standard input for ``None``, into ``folder`` and return the file.

    Blocks until the other end has written everything, or until ``unwanted`` is set. Raises
    ``UnusableError`` for more than ``max_bytes`` bytes and for a full disk.
    """
    target = folder / "spooled"
    try:
        # A pipe that nobody has opened to write would keep an ordinary open() waiting for ever.
        number = (
            os.dup(sys.stdin.fileno())
            if source is None
            else os.open(source, os.O_RDONLY | os.O_NONBLOCK)
        )
        with os.fdopen(number, "rb", buffering=0) as pipe, target.open("wb") as file:
            _copy(pipe, file, name, max_bytes, unwanted)
    except OSError as error:
        raise from_os_error(error, name) from None
    return target


def _copy(
    pipe: IO[bytes], file: IO[bytes], name: str, max_bytes: int, unwanted: threading.Event
) -> None:
    received = 0
    while not unwanted.is_set():
        if not select.select([pipe], [], [], _LOOK_UP)[0]:
            continue
        chunk = pipe.read(_CHUNK)
        if not chunk:
            return
        received += len(chunk)
        if received > max_bytes:
            raise UnusableError(
                "too_large",
                worded(
                    "{file} gives more bytes than the limit of {limit}", file=name, limit=max_bytes
                ),
                413,
            )
        file.write(chunk)
