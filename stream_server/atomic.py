"""Files and folders that appear under their names only when they are complete.

They are made beside their place, under a name that no other writer has, on this machine or on
another one that shares the folder, and renamed, a file once it is on the disk: whoever looks sees
what was there before or all of the new. What a writer that was killed leaves behind is told by its
name, and ``sweep`` removes it.
"""

from __future__ import annotations

import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NODE = platform.node().replace(".", "_")
_TAIL = re.compile(r"\.(?P<node>[^./]*)-(?P<pid>\d+)-[0-9a-f]{8}\.part$")
_writing: set[Path] = set()  # by this process; one that is forked off has another id


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """Gives the file to write; it becomes ``path`` at the end, or is removed on an exception.

    The file is there already, empty, and so is its folder. ``mode`` are the file's permissions,
    less the process's umask.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _unfinished(path) as part:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode))
        yield part
        descriptor = os.open(part, os.O_RDWR)  # Windows syncs no file that is only read
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        part.replace(path)


def write_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Write ``text`` in UTF-8 as ``path``, whole or not at all."""
    with replacing(path, mode) as part:
        part.write_text(text, encoding="utf-8")


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Gives an empty folder; it takes the place of ``path`` at the end, or is removed.

    What was there goes away in the same breath: two renames, and between them there is neither.
    """
    with _unfinished(path) as part:
        part.mkdir(parents=True)
        yield part
        with _unfinished(path) as old:
            try:
                if path.exists():
                    path.rename(old)
                part.rename(path)
            except BaseException:
                if old.exists() and not path.exists():
                    old.rename(path)
                raise


def sweep(folder: Path) -> None:
    """Remove from ``folder`` what writers on this machine that no longer run have left there.

    A folder stays where there is none in its place: its writer may have been killed between the
    two renames, and then it is all there is.
    """
    for left in folder.glob("*.part"):
        found = _TAIL.search(left.name)
        if found is None or found["node"] != _NODE or left in _writing:
            continue
        if left.is_dir() and not left.with_name(left.name[: found.start()]).exists():
            continue
        if int(found["pid"]) == os.getpid() or not _runs(int(found["pid"])):
            _remove(left)


def sweep_file(path: Path) -> None:
    """Remove all that writers of ``path`` have left beside it, on whatever machine they ran.

    For a file that is complete: one that is still being written would be lost.
    """
    for left in path.parent.glob("*.part"):
        tail = left.name.removeprefix(path.name)
        if tail != left.name and _TAIL.fullmatch(tail):
            _remove(left)


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    tail = f"{_NODE}-{os.getpid()}-{secrets.token_hex(4)}.part"
    part = path.with_name(f"{path.name}.{tail}")
    _writing.add(part)
    try:
        yield part
    finally:
        _remove(part)
        _writing.discard(part)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # someone else's
        return True
    return True


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)
