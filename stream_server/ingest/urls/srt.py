"""SRT, which PyAV's wheels cannot read, by the system's ``ffmpeg`` where it is installed."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import ExitStack
from typing import IO
from urllib.parse import urlsplit

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dial import resolve
from stream_server.ingest.urls.refusals import RefusedSourceError
from stream_server.redaction import without_secrets

_OUTPUT = ("-map", "0", "-c", "copy", "-flush_packets", "1", "-f", "mpegts", "pipe:1")
_QUERY = "&timeout=10000000&mode=caller"  # microseconds


def open_srt(url: str, allowed: AllowedHosts, stack: ExitStack) -> IO[bytes]:
    """The transport stream that comes from ``url``, as ``ffmpeg`` passes it on.

    The address, with its passphrase, goes to ``ffmpeg`` by a pipe: every user of a machine can see
    what stands on a command line. Raises ``RefusedSourceError`` where there is no such program, and
    as ``resolve``.
    """
    program = shutil.which("ffmpeg")
    if program is None:
        raise RefusedSourceError(
            f"{without_secrets(url)}: SRT is read by the program ffmpeg, which is not installed"
            " here"
        )
    script = f"ffconcat version 1.0\nfile '{_checked(url, allowed)}'\n"
    # A concat script is the one form in which ffmpeg takes an address from a pipe.
    arguments = ["-v", "quiet", "-f", "concat", "-safe", "0"]
    arguments += ["-protocol_whitelist", "pipe,srt,udp", "-i", "pipe:0"]
    process = subprocess.Popen(
        [program, *arguments, *_OUTPUT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    assert process.stdin is not None and process.stdout is not None
    with process.stdin as told:
        told.write(script.encode())
    return stack.enter_context(process.stdout)


def _checked(url: str, allowed: AllowedHosts) -> str:
    """With the address that was checked in the place of the host; SRT names no host inside."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedSourceError(f"{without_secrets(url)}: {error}") from None
    if not host or port is None:
        raise RefusedSourceError(f"{without_secrets(url)} names no host or no port")
    if set(parts.query) & set("'\\ \t\r\n"):
        raise RefusedSourceError(f"{without_secrets(url)}: quotes and blanks have to be encoded")
    given = "&".join(
        one
        for one in parts.query.split("&")
        if one and one.split("=")[0] not in ("mode", "timeout")
    )
    address = resolve(host, port, allowed)[0]
    literal = f"[{address}]" if ":" in address else address
    return f"srt://{literal}:{port}?{given}{_QUERY}"
