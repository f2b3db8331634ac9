"""What is fuzzed. Each takes any bytes; an exception that the code does not promise is a find.

They know no fuzzer, so that a find is tried again, and the corpus replayed, without one.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from unittest import mock

from aioice import Candidate
from starlette.requests import Request

from stream_server import protocol
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ingest.urls.dash import DashTranslator
from stream_server.ingest.urls.playlists import checked_playlist
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.ingest.webrtc import h264
from stream_server.ingest.webrtc.sdp import Bitrates, OfferError, check_offer, munge_answer
from stream_server.ingest.webrtc.sdp import read_fragment as read_sdp_fragment
from stream_server.ingest.websocket.pictures import decode
from stream_server.protocol import ProtocolError
from stream_server.scan.jobs import upload
from stream_server.server.preflight import check_settings
from stream_server.settings import ENV_PREFIX, SettingsError, load

_SAYS = 1000  # characters in which an error has to be said
_FILE_BYTES = 4096
_ADDRESS = "https://host.example/live/stream.m3u8?key=secret"
_BEGUN = 1_700_000_000.0


def wire(data: bytes) -> None:
    """A message on ``/v1/stream``, taken for a hello, for a control message and for a frame."""
    for parse in (protocol.parse_hello, protocol.parse_control):
        with contextlib.suppress(UnicodeDecodeError):  # a WebSocket's text is UTF-8
            text = data.decode()
            try:
                json.dumps(parse(text).model_dump()).encode()
            except ProtocolError as error:
                _can_be_said(error)
    try:
        frame = protocol.parse_frame(data)
        protocol.encode(protocol.verdict(frame.header, 0.0, [])).encode()
        decode(frame.picture, frame.header, 320 * 240)
    except ProtocolError as error:
        _can_be_said(error)


def _can_be_said(error: ProtocolError) -> None:
    said = protocol.encode(protocol.error(error.code, str(error), error.frame_id))
    assert len(said.encode()) < _SAYS, f"{len(said)} bytes of error"
    assert len(protocol.close_reason(str(error)).encode()) <= 123


def whip(data: bytes) -> None:
    """What is posted to ``/whip``, and a fragment that is patched in later."""
    with contextlib.suppress(UnicodeDecodeError):
        text = data.decode()
        try:
            offer = check_offer(text)
            offered = h264.taken(offer)
            h264.answered(offered.text, offered.changed)
            munge_answer(offered.text, Bitrates(1, 2, 3))
        except OfferError as error:
            assert len(str(error)) < _SAYS
        try:
            fragment = read_sdp_fragment(text)
            fragment.text()
            for line in fragment.candidates:
                with contextlib.suppress(ValueError, IndexError, AssertionError):
                    Candidate.from_sdp(line.removeprefix("candidate:"))
        except OfferError as error:
            assert len(str(error)) < _SAYS


def uploaded(data: bytes) -> None:
    """The form that is posted to ``/v1/scans``: its first byte says in what pieces it comes, its
    first line is the content type."""
    size, (kind, _, body) = (data[0] + 1 if data else 1), data[1:].partition(b"\n")
    file = io.BytesIO()
    try:
        request = Request({"type": "http", "headers": [(b"content-type", kind)]})
        form = upload._Form(upload._boundary(request), _FILE_BYTES)
        for start in range(0, len(body), size):
            form.feed(body[start : start + size])
            form.drain(file)
        form.finish()
    except UnusableError as error:
        assert len(str(error)) < _SAYS
        return
    found = form.upload
    assert found.size == len(file.getvalue()) <= _FILE_BYTES
    assert len(found.name) <= 200 and found.name.isprintable() and "/" not in found.name
    assert found.fields.keys() <= {"window", "keep"}


def playlist(data: bytes) -> None:
    """What comes from a live source's address: an HLS playlist or a DASH manifest."""
    for read in (lambda: data, _translated(data), _translated(data)):
        try:
            _only_addresses_of_the_web(read())
        except (RefusedSourceError, SourceGoneError) as error:
            assert "secret" not in str(error)


def _translated(data: bytes) -> Callable[[], bytes]:
    translate = DashTranslator(960, now=lambda: _BEGUN)
    return lambda: translate(data, _ADDRESS.replace("m3u8", "mpd"))


def _only_addresses_of_the_web(data: bytes) -> None:
    found = checked_playlist(data, _ADDRESS, 960)
    for address in found.children | found.keys:
        assert address.lower().startswith(("http://", "https://")), address
    for line in found.text.splitlines():
        assert not line or line.lower().startswith(("#", "http://", "https://")), line
    # What was checked once passes again: FFmpeg gets nothing that was not looked at.
    checked_playlist(found.text.encode(), _ADDRESS, 960)


def settings(data: bytes) -> None:
    """A settings file."""
    with mock.patch.dict(os.environ, {f"{ENV_PREFIX}CONFIG": str(_settings_file())}, clear=True):
        _settings_file().write_bytes(data)
        try:
            found = load(state_dir=_settings_file().parent)
            check_settings(found)
            found.without_secrets()
        except SettingsError:
            pass


@cache
def _settings_file() -> Path:
    return Path(tempfile.mkdtemp(prefix="fakelight-fuzz-")) / "settings.toml"


TARGETS: dict[str, Callable[[bytes], None]] = {
    "wire": wire,
    "whip": whip,
    "upload": uploaded,
    "playlist": playlist,
    "settings": settings,
}
