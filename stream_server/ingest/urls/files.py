"""A file as a live stream: played at its own speed, and again from the beginning at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from stream_server.ingest.urls.refusals import RefusedSourceError


class Looping:
    """A container whose packets begin anew after the last one."""

    def __init__(self, container: Any) -> None:
        self._container = container
        self.streams = container.streams

    def demux(self, *streams: Any) -> Iterator[Any]:
        """See PyAV. Raises ``av.FFmpegError`` for a file that cannot be played again."""
        while True:
            yield from self._container.demux(*streams)
            self._container.seek(0)
            for stream in streams:
                stream.codec_context.flush_buffers()


def played_file(url: str, folder: Path | None) -> Path:
    """The file that a ``file:`` address names.

    Raises ``RefusedSourceError`` unless it lies in ``folder``, links followed.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    if folder is None:
        raise RefusedSourceError(
            f"{path}: files are played from the folder FAKELIGHT_MONITOR_FILES"
            " alone, and none is named"
        )
    try:
        real = path.resolve(strict=True)
        inside = real.is_relative_to(folder.resolve(strict=True)) and real.is_file()
    except (OSError, ValueError):
        inside = False
    if not inside or parts.netloc not in ("", "localhost"):
        raise RefusedSourceError(f"{path} is no file in the folder FAKELIGHT_MONITOR_FILES")
    return real
