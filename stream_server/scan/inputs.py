"""What stands on the command line, as files to scan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from stream_server.ingest.files.unusable import UnusableError, from_os_error

_SUFFIXES = {
    ".3g2", ".3gp", ".apng", ".asf", ".avi", ".avif", ".bmp", ".divx", ".dv", ".f4v",
    ".flv", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".m2ts", ".m2v",
    ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg", ".mpg", ".mts",
    ".mxf", ".nut", ".ogm", ".ogv", ".png", ".qt", ".rm", ".rmvb", ".tif", ".tiff", ".ts",
    ".vob", ".webm", ".webp", ".wmv", ".y4m",
}  # fmt: skip


@dataclass(frozen=True)
class Input:
    """One thing to scan: a ``path``, or a ``url`` that has to be fetched first, or an ``error``
    that is all there is to say about it."""

    name: str
    path: Path | None = None
    url: str | None = None
    error: UnusableError | None = None


def expand(arguments: Iterable[str]) -> tuple[list[Input], int]:
    """The inputs behind files, addresses and folders, and how many files in folders were passed
    over because their names are not those of videos or pictures."""
    inputs: list[Input] = []
    passed_over = 0
    for argument in arguments:
        if "://" in argument:
            inputs.append(Input(argument, url=argument))
            continue
        path = Path(argument)
        if not path.is_dir():
            inputs.append(Input(argument, path=path))
            continue
        try:
            files = sorted(_files(path))
        except OSError as error:
            inputs.append(Input(argument, error=from_os_error(error, argument)))
            continue
        media = [file for file in files if file.suffix.lower() in _SUFFIXES]
        passed_over += len(files) - len(media)
        inputs += [Input(str(file), path=file) for file in media]
        if not media:
            empty = UnusableError("empty", f"{argument}: no video or picture in this folder")
            inputs.append(Input(argument, error=empty))
    return inputs, passed_over


def _files(folder: Path) -> Iterator[Path]:
    """Every visible file below ``folder``; links to folders are not followed, they may loop."""
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if not entry.is_symlink():
                yield from _files(entry)
        elif entry.is_file():
            yield entry
