"""An MPEG transport stream that comes in UDP datagrams, plain or inside RTP (RFC 2250)."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections import deque
from types import TracebackType
from urllib.parse import urlsplit

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dial import normal_host, resolve
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.redaction import without_secrets

_WAITING = 8 * 1024**2  # bytes that may wait to be read; older ones are let go
_BUFFER = 4 * 1024**2  # asked of the system, which may give less
_PATIENCE = 10.0  # seconds without a datagram
_RTP_HEADER = 12


class Datagrams:
    """Receives at the address of ``udp://ADDRESS:PORT``, a group that is joined if it is one.

    Receiving goes on in a thread of its own, so that nothing is lost while a picture is decoded.
    Raises ``RefusedSourceError`` for an address that the settings do not name: whoever receives
    opens a port of this machine.
    """

    def __init__(self, url: str, allowed: AllowedHosts) -> None:
        self._name = without_secrets(url)
        host, port = _address(url, allowed)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        try:
            self._listen(host, port, family)
        except OSError as error:
            self._socket.close()
            raise SourceGoneError(f"{self._name}: {error.strerror or error}") from None
        self._parts: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()

    def __enter__(self) -> Datagrams:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port that is listened on."""
        return int(self._socket.getsockname()[1])

    def read(self, size: int = -1) -> bytes:
        """What has come, at most ``size`` bytes.

        Raises ``SourceGoneError`` where nothing comes for ten seconds.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._parts or self._closed, _PATIENCE):
                raise SourceGoneError(f"{self._name}: no datagram for {_PATIENCE:g} s")
            if not self._parts:
                return b""
            part = self._parts.popleft()
            if 0 <= size < len(part):
                self._parts.appendleft(part[size:])
                part = part[:size]
            self._size -= len(part)
            return part

    def close(self) -> None:
        """Stop receiving."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._socket.close()

    def _listen(self, host: str, port: int, family: socket.AddressFamily) -> None:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.settimeout(0.5)
        self._socket.bind((host, port))
        address = ipaddress.ip_address(host)
        if not address.is_multicast:
            return
        if family == socket.AF_INET:
            group = struct.pack("4s4s", address.packed, b"\0" * 4)
            self._socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, group)
        else:
            group = struct.pack("16sI", address.packed, 0)
            self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, group)

    def _receive(self) -> None:
        while not self._closed:
            try:
                part = self._socket.recv(65536)
            except TimeoutError:
                continue
            except OSError:
                break
            # Every packet of a transport stream begins with a G, RTP with its version, 2.
            if part[:1] and part[0] >> 6 == 2 and part[_RTP_HEADER : _RTP_HEADER + 1] == b"G":
                part = part[_RTP_HEADER:]
            with self._changed:
                self._parts.append(part)
                self._size += len(part)
                while self._size > _WAITING:
                    self._size -= len(self._parts.popleft())
                self._changed.notify()


def _address(url: str, allowed: AllowedHosts) -> tuple[str, int]:
    try:
        parts = urlsplit(url)
        host, port = normal_host(parts.hostname or ""), parts.port
    except ValueError as error:
        raise RefusedSourceError(f"{without_secrets(url)}: {error}") from None
    if port is None:
        raise RefusedSourceError(f"{without_secrets(url)} names no port to receive at")
    for address in resolve(host, port, allowed, socket.SOCK_DGRAM):
        if allowed.allows(host, address):
            return address, port
    raise RefusedSourceError(
        f"{without_secrets(url)}: a port is opened only at addresses that FAKELIGHT_MONITOR_HOSTS"
        " names"
    )
