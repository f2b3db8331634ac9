"""What stands on the command line, as files to scan."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stream_server.ingest.files.names import printable
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

_SUFFIXES = {
    ".264", ".265", ".3g2", ".3gp", ".apng", ".arw", ".asf", ".avi", ".avif", ".avifs", ".bmp",
    ".cr2", ".cr3", ".divx", ".dng", ".dpx", ".dv", ".exr", ".f4p", ".f4v", ".flv", ".gif",
    ".h264", ".hdr", ".heic", ".heics", ".heif", ".heifs", ".hevc", ".hif", ".icns", ".ico",
    ".insv", ".ivf", ".j2k", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx", ".jxl",
    ".lrv", ".m1v", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4",
    ".mpe", ".mpeg", ".mpg", ".mpo", ".mts", ".mxf", ".nef", ".nut", ".obu", ".ogm", ".ogv",
    ".orf", ".pcx", ".pef", ".png", ".pnm", ".ppm", ".psd", ".qoi", ".qt", ".raf", ".rm", ".rmvb",
    ".rw2", ".tga", ".tif", ".tiff", ".tp", ".trp", ".ts", ".vob", ".webm", ".webp",
    ".wmv", ".y4m",
}  # fmt: skip


_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Input:
    """One thing to scan: a ``path``, or a ``url`` that has to be fetched first, or standard input
    (``piped``), or an ``error`` that is all there is to say about it. ``name`` can be printed."""

    name: str
    path: Path | None = None
    url: str | None = None
    error: UnusableError | None = None
    piped: bool = False


def expand(arguments: Iterable[str]) -> tuple[list[Input], int]:
    """The inputs behind files, addresses and folders, ``-`` for standard input, and how many files
    in folders were passed over because their names are not those of videos or pictures."""
    inputs: list[Input] = []
    passed_over = 0
    for argument in arguments:
        name = printable(argument)
        if argument == "-":
            inputs.append(Input("standard input", piped=True))
        elif _ADDRESS.match(argument):
            inputs.append(Input(name, url=argument))
        elif not os.path.isdir(argument):  # noqa: PTH112 - Path.is_dir() fails on a long name
            inputs.append(Input(name, path=Path(argument)))
        else:
            found, others = _folder(Path(argument), name)
            inputs += found
            passed_over += others
    return inputs, passed_over


def _folder(folder: Path, name: str) -> tuple[list[Input], int]:
    """What is in a folder; a part of it that cannot be read is an input with its error."""
    refused: list[Input] = []
    files = sorted(_files(folder, refused))
    media = [file for file in files if file.suffix.lower() in _SUFFIXES]
    inputs = [Input(printable(str(file)), path=file) for file in media] + refused
    if not inputs:
        empty = UnusableError(
            "empty", worded("{file}: no video or picture in this folder", file=name)
        )
        inputs.append(Input(name, error=empty))
    return inputs, len(files) - len(media)


def _files(folder: Path, refused: list[Input]) -> Iterator[Path]:
    """Every visible file below ``folder``; links to folders are not followed, they may loop."""
    try:
        entries = list(folder.iterdir())
    except OSError as error:
        name = printable(str(folder))
        refused.append(Input(name, error=from_os_error(error, name)))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _files(entry, refused)
        elif entry.is_file():
            yield entry
