"""From an address to a container that PyAV reads, by its kind."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import av

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dash import DashTranslator, is_manifest
from stream_server.ingest.urls.datagrams import Datagrams
from stream_server.ingest.urls.dial import normal_host
from stream_server.ingest.urls.fetcher import Fetcher
from stream_server.ingest.urls.files import Looping, played_file
from stream_server.ingest.urls.limits import MAX_PLAYLIST_BYTES, READ_SECONDS
from stream_server.ingest.urls.playlists import is_playlist
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.ingest.urls.relay import Relay, RtspJudge
from stream_server.ingest.urls.segments import SegmentOpener
from stream_server.ingest.urls.srt import open_srt
from stream_server.ingest.urls.timing import CATCH_UP
from stream_server.redaction import without_credentials, without_secrets

# What live streams come in; none of these opens anything else.
_MEDIA_FORMATS = "mpegts,matroska,webm,flv,mov,mp4,m4a,3gp,3g2,mj2,ogg,nut,mpeg,mpjpeg,h264,hevc"
_IN_PLAYLISTS = f"hls,{_MEDIA_FORMATS},aac,mp3,ac3,eac3,webvtt"
_USER_INFO = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:%@-]*")  # RFC 3986, and an at sign
_RW_TIMEOUT = str(int(READ_SECONDS * 1_000_000))  # microseconds
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
            f"{without_secrets(request.url)}: {scheme}: is not watched; what is: {known}"
        )
    return opener(request, stack)


def _open_http(request: SourceRequest, stack: ExitStack) -> Opened:
    fetcher = Fetcher(request.url, request.allowed)
    stack.callback(fetcher.close)
    response = fetcher.get(fetcher.url, "source")
    start = response.peek(2048)
    manifest = is_manifest(start)
    if not is_playlist(start) and not manifest:
        stack.callback(response.close)
        container = av.open(response, options=_options(_MEDIA_FORMATS), buffer_size=1 << 16)
        stack.callback(container.close)
        finite = response.length is not None
        return Opened(container, CATCH_UP if finite else None, lambda: finite)
    response.limit(MAX_PLAYLIST_BYTES)
    translator = DashTranslator(request.side) if manifest else None
    opener = SegmentOpener(fetcher, fetcher.url, request.side, translator)
    opener.begin_with(response)
    options = {**_options(_IN_PLAYLISTS), **_HLS}
    try:
        container = av.open(fetcher.url, format="hls", io_open=opener, options=options)
    except (av.FFmpegError, OSError):
        raise opener.problem() or SourceGoneError("the playlist cannot be played") from None
    stack.callback(container.close)
    return Opened(container, CATCH_UP, lambda: opener.ended, opener.problem)


def _open_udp(request: SourceRequest, stack: ExitStack) -> Opened:
    datagrams = stack.enter_context(Datagrams(request.url, request.allowed))
    container = av.open(datagrams, format="mpegts", options=_options("mpegts"))
    stack.callback(container.close)
    return Opened(container, None)


def _open_rtmp(request: SourceRequest, stack: ExitStack) -> Opened:
    bare, parts, host, user_info = _host_of(request.url)
    secure = parts.scheme.lower() == "rtmps"
    port = parts.port or (443 if secure else 1935)
    relay = stack.enter_context(Relay(host, port, request.allowed, secure))
    path = parts.path.split("/")[1:]
    application = "/".join(path[:1] if len(path) < 3 else path[:2])
    options = {
        **_options("flv", "rtmp,tcp"),
        "rw_timeout": _RW_TIMEOUT,
        "rtmp_live": "live",
        "rtmp_tcurl": f"{parts.scheme}://{parts.netloc}/{application}",
    }
    return _through(relay, f"rtmp://{user_info}127.0.0.1:{relay.port}{bare}", options, stack)


def _open_rtsp(request: SourceRequest, stack: ExitStack) -> Opened:
    bare, parts, host, user_info = _host_of(request.url)
    secure = parts.scheme.lower() == "rtsps"
    port = parts.port or (322 if secure else 554)
    relay = stack.enter_context(Relay(host, port, request.allowed, secure, RtspJudge))
    options = {
        **_options("rtsp", "tcp"),
        "rtsp_transport": "tcp",
        "timeout": _RW_TIMEOUT,
    }
    return _through(relay, f"rtsp://{user_info}127.0.0.1:{relay.port}{bare}", options, stack)


def _through(relay: Relay, url: str, options: dict[str, str], stack: ExitStack) -> Opened:
    try:
        container = av.open(url, options=options)
    except (av.FFmpegError, OSError):
        if relay.problem is not None:
            raise relay.problem from None
        raise
    stack.callback(container.close)
    return Opened(container, None, problem=lambda: relay.problem)


def _host_of(url: str) -> tuple[str, SplitResult, str, str]:
    """What follows the authority, the parts without credentials, the host, and the credentials as
    they stand before a host."""
    bare, _ = without_credentials(url)
    try:
        parts = urlsplit(bare)
        host, _ = normal_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise RefusedSourceError(f"{without_secrets(url)}: {error}") from None
    rest = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    before = url.partition("://")[2][: -len(bare.partition("://")[2])]
    # FFmpeg ends an authority at the first of these, and would connect to what stands before it.
    if not _USER_INFO.fullmatch(before):
        raise RefusedSourceError(
            f"{without_secrets(url)}: user and password hold what must be percent-encoded there"
        )
    return rest, parts, host, before


def _open_srt(request: SourceRequest, stack: ExitStack) -> Opened:
    stream = open_srt(request.url, request.allowed, stack)
    container = av.open(stream, format="mpegts", options=_options("mpegts"))
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
        "fflags": "+discardcorrupt",
        "analyzeduration": "3000000",
        "probesize": "5000000",
    }


_OPENERS: dict[str, Callable[[SourceRequest, ExitStack], Opened]] = {
    "file": _open_file,
    "http": _open_http,
    "https": _open_http,
    "rtmp": _open_rtmp,
    "rtmps": _open_rtmp,
    "rtsp": _open_rtsp,
    "rtsps": _open_rtsp,
    "srt": _open_srt,
    "udp": _open_udp,
}
