"""From an address to a container that PyAV reads, by its kind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.datagrams import Datagrams
from stream_server.ingest.urls.fetcher import Fetcher
from stream_server.ingest.urls.files import Looping, played_file
from stream_server.ingest.urls.limits import MAX_PLAYLIST_BYTES
from stream_server.ingest.urls.playlists import is_playlist
from stream_server.ingest.urls.redaction import redacted_url
from stream_server.ingest.urls.refusals import RefusedSourceError
from stream_server.ingest.urls.segments import SegmentOpener
from stream_server.ingest.urls.timing import CATCH_UP

# What live streams come in; none of these opens anything else.
_MEDIA_FORMATS = "mpegts,matroska,webm,flv,mov,mp4,m4a,3gp,3g2,mj2,ogg,nut,mpeg,mpjpeg,h264,hevc"
_IN_PLAYLISTS = f"hls,{_MEDIA_FORMATS},aac,mp3,ac3,eac3,webvtt"
_HLS = {
    "http_persistent": "0",  # connections are the fetcher's
    "http_multiple": "0",
    "extension_picky": "0",  # names say nothing; what opens them is checked
    "live_start_index": "-1",
    "seg_max_retry": "2",
}


@dataclass
class Opened:
    """A source that is being read.

    ``speed`` is how fast what comes in lumps is played; ``None`` where what comes is the newest.
    ``ended``: says, at the end, whether that was the end for good. ``problem``: what FFmpeg met
    and kept to itself.
    """

    container: Any
    speed: float | None
    ended: Callable[[], bool] = lambda: False
    problem: Callable[[], Exception | None] = lambda: None


@dataclass(frozen=True)
class SourceRequest:
    """What is to be read: ``side`` is the longer side of the pictures that are wanted, in pixels,
    ``files`` the folder whose files may be played again and again."""

    url: str
    allowed: AllowedHosts
    side: int
    files: Path | None = None


def open_source(request: SourceRequest, stack: ExitStack) -> Opened:
    """Open it; ``stack`` closes what that took.

    Raises ``RefusedSourceError``, ``SourceGoneError``, and ``av.FFmpegError`` for what is no
    stream.
    """
    scheme = request.url.partition(":")[0].lower()
    opener = _OPENERS.get(scheme)
    if opener is None:
        known = ", ".join(sorted(_OPENERS))
        raise RefusedSourceError(
            f"{redacted_url(request.url)}: {scheme}: is not watched; what is: {known}"
        )
    return opener(request, stack)


def _open_http(request: SourceRequest, stack: ExitStack) -> Opened:
    fetcher = Fetcher(request.url, request.allowed)
    stack.callback(fetcher.close)
    response = fetcher.get(fetcher.url, "source")
    start = response.peek(1024)
    if not is_playlist(start):
        stack.callback(response.close)
        container = av.open(response, options=_options(_MEDIA_FORMATS), buffer_size=1 << 16)
        stack.callback(container.close)
        finite = response.length is not None
        return Opened(container, CATCH_UP if finite else None, lambda: finite)
    response.limit(MAX_PLAYLIST_BYTES)
    opener = SegmentOpener(fetcher, fetcher.url, request.side)
    opener.begin_with(response)
    container = av.open(
        fetcher.url, format="hls", io_open=opener, options={**_options(_IN_PLAYLISTS), **_HLS}
    )
    stack.callback(container.close)
    return Opened(
        container, CATCH_UP, lambda: opener.ended, lambda: opener.refusal or opener.trouble
    )


def _open_udp(request: SourceRequest, stack: ExitStack) -> Opened:
    datagrams = stack.enter_context(Datagrams(request.url, request.allowed))
    container = av.open(datagrams, format="mpegts", options=_options("mpegts"))
    stack.callback(container.close)
    return Opened(container, None)


def _open_file(request: SourceRequest, stack: ExitStack) -> Opened:
    path = played_file(request.url, request.files)
    file = stack.enter_context(path.open("rb"))
    container = av.open(file, options=_options(_MEDIA_FORMATS))
    stack.callback(container.close)
    return Opened(Looping(container), 1.0)


def _options(formats: str, protocols: str = "pipe") -> dict[str, str]:
    """``pipe`` is a protocol that nothing here uses; an empty list would mean any."""
    return {
        "format_whitelist": formats,
        "protocol_whitelist": protocols,
        "fflags": "+nobuffer+discardcorrupt",
        "analyzeduration": "3000000",
        "probesize": "5000000",
    }


_OPENERS: dict[str, Callable[[SourceRequest, ExitStack], Opened]] = {
    "file": _open_file,
    "http": _open_http,
    "https": _open_http,
    "udp": _open_udp,
}
