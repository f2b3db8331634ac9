"""What FFmpeg asks for while it plays a playlist, fetched for it: it opens nothing by itself."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from stream_server.ingest.urls.dash import DashTranslator
from stream_server.ingest.urls.fetcher import Fetcher, Response
from stream_server.ingest.urls.limits import (
    MAX_KEY_BYTES,
    MAX_PLAYLIST_BYTES,
    MAX_SEGMENT_BYTES,
)
from stream_server.ingest.urls.playlists import Playlist, checked_playlist, is_playlist
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.redaction import without_secrets

_CRYPTO = "crypto+"


class Readable(Protocol):
    def read(self, size: int = -1) -> bytes: ...

    def close(self) -> None: ...


class SegmentOpener:
    """PyAV's ``io_open`` for one stream of playlists.

    ``translator`` makes HLS playlists of the manifests that come for the top address. FFmpeg keeps
    most errors of what it opens to itself; ``problem`` knows them.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        top: str,
        side: int,
        translator: DashTranslator | None = None,
    ) -> None:
        self._fetcher = fetcher
        self._top = top
        self._side = side
        self._translator = translator
        self._children: set[str] = set()
        self._keys: set[str] = set()
        self._first: Response | None = None
        self.ended = False
        self.refusal: RefusedSourceError | None = None
        self.trouble: SourceGoneError | None = None

    def problem(self) -> RefusedSourceError | SourceGoneError | None:
        """A refusal, or what did not come although it was tried for the last time."""
        return self.refusal or self.trouble

    def begin_with(self, response: Response) -> None:
        """``response`` is what came for the top address already."""
        self._first = response

    def __call__(self, url: str, flags: int, options: Mapping[str, str]) -> Readable:
        """See ``av.open``. Raises nothing, of which FFmpeg would tell little: what is not to be had
        is empty."""
        try:
            if self.refusal is None:
                return self._open(url, options)
        except (RefusedSourceError, SourceGoneError) as error:
            self.met(error)
        return io.BytesIO()

    def met(self, error: RefusedSourceError | SourceGoneError) -> None:
        """Remember what went wrong; a refusal is for good."""
        if isinstance(error, RefusedSourceError):
            self.refusal = error
        else:
            self.trouble = error

    def _open(self, url: str, options: Mapping[str, str]) -> Readable:
        if url == self._top or url in self._children:
            return io.BytesIO(self._playlist(url).text.encode())
        if url in self._keys:
            response = self._fetcher.get(url, "key", MAX_KEY_BYTES)
            return io.BytesIO(_all_of(response))
        if url.startswith(_CRYPTO):
            segment = self._segment(url.removeprefix(_CRYPTO), options)
            return _Decrypted(segment, bytes.fromhex(options["key"]), bytes.fromhex(options["iv"]))
        return self._segment(url, options)

    def _playlist(self, url: str) -> Playlist:
        response, self._first = self._first, None
        if response is None:
            moved = self._translator.location if self._translator and url == self._top else None
            response = self._fetcher.get(moved or url, "playlist", MAX_PLAYLIST_BYTES)
        data = _all_of(response)
        if self._translator is not None and url == self._top:
            data = self._translator(data, response.url)
        if not is_playlist(data):
            raise SourceGoneError(f"{without_secrets(url)} is no playlist any more")
        found = checked_playlist(data, response.url, self._side)
        # One that names itself would be read again and again, and never show anything.
        if found.is_master and (url != self._top or url in found.children):
            raise RefusedSourceError(
                f"playlist {without_secrets(url)} is a master playlist inside another; the limit"
                " is 1"
            )
        self._children |= found.children
        self._keys |= found.keys
        if not found.is_master:
            self.ended = found.ended
        self.trouble = None
        return found

    def _segment(self, url: str, options: Mapping[str, str]) -> Readable:
        headers = {}
        first, end = options.get("offset", "0"), options.get("end_offset", "0")
        if first != "0" or end != "0":
            headers["Range"] = f"bytes={first}-{int(end) - 1 if end != '0' else ''}"
        response = self._fetcher.get(url, "segment", MAX_SEGMENT_BYTES, headers)
        if is_playlist(response.peek(16)):
            response.close()
            raise RefusedSourceError(
                f"segment {without_secrets(url)} is a playlist; playlists are nested 1 deep at most"
            )
        return _Watched(response, self)


class _Watched:
    """A response whose errors are remembered, for FFmpeg would not tell."""

    def __init__(self, response: Response, opener: SegmentOpener) -> None:
        self._response = response
        self._opener = opener

    def read(self, size: int = -1) -> bytes:
        try:
            return self._response.read(size)
        except (RefusedSourceError, SourceGoneError) as error:
            self._opener.met(error)
            return b""

    def close(self) -> None:
        self._response.close()


class _Decrypted:
    """AES-128 in CBC mode with PKCS7 padding: RFC 8216, section 4.3.2.4."""

    def __init__(self, source: Readable, key: bytes, iv: bytes) -> None:
        self._source = source
        self._decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        self._held = b""  # the last block may be padding
        self._ended = False

    def read(self, size: int = -1) -> bytes:
        while not self._ended:
            part = self._source.read(max(size - 16, 16))
            if not part:
                self._ended = True
                return self._held[: -self._held[-1]] if self._held else b""
            plain = self._held + self._decryptor.update(part)
            plain, self._held = plain[:-16], plain[-16:]
            if plain:
                return plain
        return b""

    def close(self) -> None:
        self._source.close()


def _all_of(response: Response) -> bytes:
    try:
        return response.read()
    finally:
        response.close()
