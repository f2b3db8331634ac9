"""Connecting to a host at exactly the address that was checked.

A name is resolved once, each address that comes out is judged, and the connection goes to that very
address: a name that answers differently the next time gains nothing (DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import ssl
from functools import cache

from stream_server.addresses import AllowedHosts, RefusedAddressError, check_address
from stream_server.ingest.urls.refusals import RefusedSourceError

# What the C library takes for IPv4 beside four decimal numbers: 2130706433, 0x7f.1, 0177.0.0.1
_NUMERIC = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+))*", re.IGNORECASE)


def normal_host(host: str) -> str:
    """A host's one spelling: lower case, without brackets and a final dot, names in ASCII.

    Raises ``RefusedSourceError`` for an address in an odd spelling (decimal, octal, hexadecimal)
    and for what is no host at all.
    """
    bare = host.strip("[]").rstrip(".").lower()
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        pass
    try:
        name = bare.encode("idna").decode("ascii").rstrip(".")
    except UnicodeError:
        name = ""
    if not name or len(name) > 253 or not re.fullmatch(r"[a-z0-9._-]+", name):
        raise RefusedSourceError(f"{host[:80]!r} is not the name of a host")
    if _NUMERIC.fullmatch(name):
        raise RefusedSourceError(f"{host!r} is an address in an odd spelling, which is not taken")
    return name


def resolve(
    host: str, port: int, allowed: AllowedHosts, kind: socket.SocketKind = socket.SOCK_STREAM
) -> list[str]:
    """The addresses of ``host`` that may be connected to, in the resolver's order.

    Raises ``RefusedSourceError`` where it has only others, ``OSError`` where it has none.
    """
    name = normal_host(host)
    good, refusal = [], None
    found = socket.getaddrinfo(name, port, type=kind)
    for address in dict.fromkeys(str(entry[4][0]) for entry in found):
        try:
            check_address(name, address, allowed)
        except RefusedAddressError as error:
            refusal = refusal or error
        else:
            good.append(address)
    if refusal and not good:
        raise RefusedSourceError(str(refusal))
    return good


def dial(
    host: str, port: int, allowed: AllowedHosts, timeout: float, tls: bool = False
) -> socket.socket:
    """A TCP connection to ``host``, inside TLS if asked, whose certificate must be the host's.

    ``timeout`` in seconds is for each address, and stays on the socket. Raises as ``resolve``, and
    ``OSError`` where no address answers or the certificate is not good.
    """
    failure = OSError(f"{host} has no address")
    for address in resolve(host, port, allowed):
        try:
            connection = socket.create_connection((address, port), timeout)
        except OSError as error:
            failure = error
            continue
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _tls().wrap_socket(connection, server_hostname=host) if tls else connection
        except OSError:
            connection.close()
            raise
    raise failure


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()
