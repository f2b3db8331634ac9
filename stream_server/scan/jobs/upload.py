"""Taking in an upload: straight to its place on disk, however large, and never half."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO

import python_multipart
from python_multipart.exceptions import MultipartParseError
from starlette.requests import Request

from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

# It warns of each byte that it does not expect, and whoever sends them is told anyway.
logging.getLogger("python_multipart").setLevel(logging.ERROR)
_FIELDS = ("window", "keep")
_MAX_FIELD = 64
_MAX_HEADERS = 8 * 1024
_MAX_BOUNDARY = 70  # RFC 2046, 5.1.1
FORM_BYTES = 64 * 1024  # that the form around a file may take
_SPARE = 64 * 1024 * 1024  # bytes that are left free on the disk


@dataclass
class Upload:
    """``name`` is the client's, for people to read; never a path."""

    name: str = ""
    size: int = 0
    fields: dict[str, str] = field(default_factory=dict)


async def receive(request: Request, target: Path, max_bytes: int) -> Upload:
    """Write the part ``file`` of a multipart request to ``target``, and on to the platter.

    Raises ``UnusableError`` with the HTTP status that fits: 400 for a form that is not as it
    should be, 413 above ``max_bytes``, 415 for another content type, 507 for a full disk. Nothing
    is left behind then, nor when the client goes away.
    """
    _check_room(request, target.parent)
    form = _Form(_boundary(request), max_bytes)
    try:
        with await asyncio.to_thread(_created, target) as file:
            async for chunk in request.stream():
                form.feed(chunk)
                await asyncio.to_thread(form.drain, file)
            form.finish()
            await asyncio.to_thread(_sync, file)
    except OSError as error:
        _discard(target)
        raise from_os_error(error, form.upload.name or "the upload") from None
    except BaseException:
        _discard(target)
        raise
    return form.upload


class _Form:
    """The form's parts as they come in; what belongs to the file waits for ``drain``."""

    def __init__(self, boundary: bytes, max_bytes: int) -> None:
        self.upload = Upload()
        self._max_bytes = max_bytes
        self._data: list[bytes] = []
        self._part = ""
        self._header: tuple[bytearray, bytearray] = (bytearray(), bytearray())
        self._headers = Message()
        self._seen: set[str] = set()
        self._ended = False
        self._parser = python_multipart.MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, a, b: self._extend(0, data[a:b]),
                "on_header_value": lambda data, a, b: self._extend(1, data[a:b]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._headers_done,
                "on_part_data": lambda data, a, b: self._take(data[a:b]),
                "on_end": self._end,
            },
        )

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except MultipartParseError as error:
            raise UnusableError("bad_form", f"the form cannot be read: {error}", 400) from None

    def drain(self, file: IO[bytes]) -> None:
        data, self._data = self._data, []
        for piece in data:
            file.write(piece)

    def finish(self) -> None:
        if not self._ended:
            raise UnusableError("bad_form", worded("the upload broke off before its end"), 400)
        if "file" not in self._seen:
            raise UnusableError("bad_form", 'the form has no part "file"', 400)

    def _begin(self) -> None:
        self._headers = Message()
        self._header = (bytearray(), bytearray())

    def _extend(self, part: int, data: bytes) -> None:
        self._header[part].extend(data)
        if len(self._header[part]) > _MAX_HEADERS:
            raise UnusableError("bad_form", "a header in the form is too long", 400)

    def _end_header(self) -> None:
        name, value = (bytes(part).decode("utf-8", "replace") for part in self._header)
        self._headers[name] = value.replace("\r", " ").replace("\n", " ")
        self._header = (bytearray(), bytearray())

    def _headers_done(self) -> None:
        parameters = dict(self._headers.get_params([], header="content-disposition"))
        self._part = str(parameters.get("name", ""))
        if self._part not in ("file", *_FIELDS):
            known = ", ".join(("file", *_FIELDS))
            raise UnusableError(
                "bad_form", f"unknown form field {self._part[:40]!r}; known: {known}", 400
            )
        if self._part in self._seen:
            raise UnusableError("bad_form", f"two parts {self._part!r}; one file a request", 400)
        self._seen.add(self._part)
        if self._part == "file":
            self.upload.name = _plain(str(parameters.get("filename", "")))
        else:
            self.upload.fields[self._part] = ""

    def _take(self, data: bytes) -> None:
        if self._part == "file":
            self.upload.size += len(data)
            if self.upload.size > self._max_bytes:
                text = worded(
                    "the file is too large; the limit is {limit} bytes", limit=self._max_bytes
                )
                raise UnusableError("too_large", text, 413)
            self._data.append(data)
            return
        value = self.upload.fields[self._part] + data.decode("utf-8", "replace")
        if len(value) > _MAX_FIELD:
            raise UnusableError("bad_form", f"the form field {self._part!r} is too long", 400)
        self.upload.fields[self._part] = value

    def _end(self) -> None:
        self._ended = True


def _boundary(request: Request) -> bytes:
    kind = Message()
    kind["content-type"] = request.headers.get("content-type", "")
    boundary = kind.get_param("boundary")
    if kind.get_content_type() != "multipart/form-data" or not isinstance(boundary, str):
        raise UnusableError("bad_form", "the body must be multipart/form-data with a file", 415)
    if not 1 <= len(boundary) <= _MAX_BOUNDARY:
        said = f"the form's boundary has {len(boundary)} characters, not 1 to {_MAX_BOUNDARY}"
        raise UnusableError("bad_form", said, 400)
    return boundary.encode("latin-1", "replace")


def _check_room(request: Request, folder: Path) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) + _SPARE > shutil.disk_usage(folder).free:
        raise UnusableError(
            "disk_full", worded("there is no room on the server's disk for this file"), 507
        )


def _created(target: Path) -> IO[bytes]:
    file = target.open("xb")
    target.chmod(0o600)
    return file


def _discard(target: Path) -> None:
    target.unlink(missing_ok=True)


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _plain(name: str) -> str:
    """The last part of a client's file name, printable and of bounded length."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    printable = "".join(letter for letter in last if letter.isprintable())
    return printable[:200] or "upload"
