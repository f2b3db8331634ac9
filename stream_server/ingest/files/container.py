"""Opening what a stranger sends by FFmpeg, and which of its streams players show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import av

from stream_server.ingest.files.file_range import Place, open_at
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

# These read other files or the network, or draw text: a file from a stranger must not choose.
_DENIED = {
    "hls", "concat", "concatf", "dash", "webm_dash_manifest", "imf", "lavfi", "sdp", "rtsp",
    "rtp", "sap", "tty", "bin", "xbin", "adf", "idf", "image2", "image2pipe", "ffmetadata",
}  # fmt: skip


@contextmanager
def opened(place: Place, name: str) -> Iterator[Any]:
    """The container in ``place``. Raises ``UnusableError``.

    FFmpeg never sees the name: it would take a colon for a protocol and an ending for a format.
    """
    try:
        file = open_at(place)
    except OSError as error:
        raise from_os_error(error, name) from None
    with file:
        try:
            container = av.open(
                file,
                options={"format_whitelist": _allowed_formats(), "protocol_whitelist": "none"},
                metadata_errors="replace",
            )
        except (av.FFmpegError, OSError, ValueError):
            raise UnusableError(
                "not_media",
                worded(
                    "{file} is not a video or picture that can be read, whatever its name",
                    file=name,
                ),
            ) from None
        with container:
            yield container


def shown_first(container: Any, name: str) -> Any:
    """The stream that players choose: one that is marked as the default, of those the largest."""
    streams = [s for s in container.streams.video if not is_cover(s)]
    if not streams:
        text = worded("{file} holds no video; there is nothing to look at", file=name)
        if container.streams.audio:
            text = worded("{file} holds only sound; there is nothing to look at", file=name)
        raise UnusableError("no_video", text)
    return max(streams, key=lambda s: (_is_default(s), _area(s), -s.index))


def _area(stream: Any) -> int:
    context = stream.codec_context
    return (context.width or 0) * (context.height or 0) if context is not None else 0


def is_cover(stream: Any) -> bool:
    """The picture on a song's sleeve is no video."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_default(stream: Any) -> bool:
    return bool(stream.disposition & av.stream.Disposition.default)


@lru_cache(maxsize=1)
def _allowed_formats() -> str:
    return ",".join(sorted(av.formats_available - _DENIED))
