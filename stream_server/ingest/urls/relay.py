"""RTMP and RTSP: FFmpeg speaks them, but to a port of this process, which goes on to the host.

FFmpeg connects to whatever a name resolves to. Through a relay it knows loopback alone; the relay
checks the address, does the TLS, with the certificate that must be the host's, and stops a server
that would send FFmpeg elsewhere.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dial import dial
from stream_server.ingest.urls.limits import CONNECT_SECONDS, READ_SECONDS
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.redaction import redact

_PART = 65536
_MAX_HEADER = 65536  # bytes of one RTSP reply's head
_BLANK_LINE = re.compile(rb"\n\r*\n")
_STATUS = re.compile(rb"RTSP/1\.[01] ([0-9]{3})(?: .*)?")
_REQUEST = re.compile(rb"[A-Z_]+ \S+ RTSP/1\.[01]")
_LENGTH = re.compile(rb"content-length:\s*([0-9]{1,7})\s*", re.IGNORECASE)
Judge = Callable[[bytes], bytes]
"""Takes what the server sent, gives what may go on; raises ``RefusedSourceError``."""


class RtspJudge:
    """Lets the replies of an RTSP server pass whole, and none that leads elsewhere.

    It reads as FFmpeg does, for which a line ends at a line feed and carriage returns count for
    nothing, and passes on what it has read, with the line ends of the standard. What FFmpeg takes
    and the standard (RFC 2326) has not, an odd status line or a packet inside a head, is refused.
    """

    def __init__(self) -> None:
        self._held = b""
        self._passing = 0  # bytes of a body or a packet that are still to come

    def __call__(self, data: bytes) -> bytes:
        """See ``Judge``. Raises ``RefusedSourceError`` for a redirect and for what is no RTSP."""
        self._held += data
        passed = []
        while self._held:
            if self._passing == 0:
                self._passing = self._next()
                if self._passing == 0:
                    break
            part = self._held[: self._passing]
            self._held = self._held[len(part) :]
            self._passing -= len(part)
            passed.append(part)
        return b"".join(passed)

    def _next(self) -> int:
        """Bytes of the next thing, 0 where it is not told yet."""
        if self._held[:1] == b"$":  # a packet of media, RFC 2326, section 10.12
            return 4 + int.from_bytes(self._held[2:4], "big") if len(self._held) >= 4 else 0
        end = _BLANK_LINE.search(self._held)
        if end is None:
            if len(self._held) > _MAX_HEADER:
                raise RefusedSourceError(
                    f"a reply of the RTSP server has more than {_MAX_HEADER} bytes of headers"
                )
            return 0
        lines = self._held[: end.end()].replace(b"\r", b"").split(b"\n")
        head = b"\r\n".join(lines)
        status = _STATUS.fullmatch(lines[0])
        if status is not None and status[1].startswith(b"3"):
            to = next((line for line in lines if line.lower().startswith(b"location:")), b"")
            where = redact(to.partition(b":")[2].strip().decode("latin-1"))
            raise RefusedSourceError(f"the RTSP server redirects to {where}; give that address")
        if status is None and not _REQUEST.fullmatch(lines[0]):
            raise RefusedSourceError("what answers there does not speak RTSP")
        if any(line.startswith(b"$") for line in lines):
            raise RefusedSourceError("a reply of the RTSP server has a packet inside its head")
        lengths = [line for line in lines if line.lower().startswith(b"content-length:")]
        found = [_LENGTH.fullmatch(line) for line in lengths]
        if len(found) > 1 or None in found:
            raise RefusedSourceError("a reply of the RTSP server has an odd Content-Length")
        self._held = head + self._held[end.end() :]
        return len(head) + sum(int(one[1]) for one in found if one is not None)


class Relay:
    """Listens on a port of the loopback interface and joins what comes there to ``host``.

    ``judge`` makes what looks at one connection's answers. ``problem`` is why the last connection
    failed.
    """

    def __init__(
        self,
        host: str,
        port: int,
        allowed: AllowedHosts,
        tls: bool = False,
        judge: Callable[[], Judge] = lambda: lambda data: data,
    ) -> None:
        self._target = (host, port, allowed, CONNECT_SECONDS, tls)
        self._judge = judge
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.problem: RefusedSourceError | SourceGoneError | None = None
        self._closed = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Relay:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _accept(self) -> None:
        while not self._closed.is_set():
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            with near:
                self._serve(near)

    def _serve(self, near: socket.socket) -> None:
        host, port = self._target[:2]
        try:
            with dial(*self._target) as far:
                far.settimeout(READ_SECONDS)
                near.settimeout(6 * READ_SECONDS)
                self._join(near, far)
        except RefusedSourceError as error:
            self.problem = error
        except ssl.SSLCertVerificationError as error:
            self.problem = SourceGoneError(f"{host}: its certificate is not good: {error.reason}")
        except TimeoutError:
            self.problem = SourceGoneError(f"{host}:{port} does not answer")
        except OSError as error:
            self.problem = SourceGoneError(f"{host}:{port}: {error.strerror or error}")

    def _join(self, near: socket.socket, far: socket.socket) -> None:
        judge = self._judge()
        with selectors.DefaultSelector() as selector:
            selector.register(near, selectors.EVENT_READ)
            selector.register(far, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in selector.select(0.5):
                    coming = key.fileobj is far
                    data = far.recv(_PART) if coming else near.recv(_PART)
                    # What TLS has already unwrapped no selector sees.
                    while coming and isinstance(far, ssl.SSLSocket) and far.pending():
                        data += far.recv(far.pending())
                    if not data:
                        return
                    if coming:
                        near.sendall(judge(data))
                    else:
                        far.sendall(data)
