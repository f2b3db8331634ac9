"""Which network addresses the server may connect to on somebody's behalf.

Whoever names a URL to a server makes the server connect to it (server-side request forgery: OWASP,
CWE-918). Only public addresses are good, and those that the operator named. A name says nothing:
what it resolves to may change between two questions, so the check is made on the address that is
connected to, never on the URL.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LOOPBACK = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1"))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Where clouds answer their virtual machines at addresses that look public: Azure, Oracle.
_PUBLIC_METADATA = frozenset(map(ipaddress.ip_address, ("168.63.129.16", "192.0.0.192")))


class RefusedAddressError(ValueError):
    """An address that the server may not connect to; the message says why and what allows it."""


@dataclass(frozen=True)
class AllowedHosts:
    """Host names and networks that may be private: the setting ``monitor_hosts``."""

    names: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, text: str) -> AllowedHosts:
        """From names, addresses and networks (``10.0.0.0/8``), comma separated.

        ``localhost`` stands for the loopback addresses too (RFC 6761). Raises ``ValueError`` for
        what is none of them.
        """
        names: set[str] = set()
        networks: list[Network] = []
        for one in filter(None, (part.strip().lower() for part in text.split(","))):
            try:
                networks.append(ipaddress.ip_network(one.strip("[]"), strict=False))
            except ValueError:
                if "/" in one or ":" in one or not one.strip("."):
                    raise ValueError(f"{one!r} is neither a host name nor a network") from None
                names.add(_canonical(one))
        if "localhost" in names:
            networks += _LOOPBACK
        return cls(frozenset(names), tuple(networks))

    def allows(self, host: str, address: str | Address) -> bool:
        """Whether ``address`` was named, or ``host``, which led to it."""
        found = _parsed(address)
        return _canonical(host) in self.names or any(
            one in network
            for network in self.networks
            for one in (found, _embedded(found))
            if one.version == network.version
        )


def check_address(host: str, address: str, allowed: AllowedHosts) -> None:
    """Raise ``RefusedAddressError`` unless the server may connect to ``address``.

    ``host`` is the name or the literal address in the URL that led there.
    """
    if allowed.allows(host, address):
        return
    kind = _forbidden_kind(_embedded(_parsed(address)))
    if kind:
        at = "" if _canonical(host) == _canonical(address) else f" ({address})"
        raise RefusedAddressError(
            f"{host}{at} is a {kind} address; FAKELIGHT_MONITOR_HOSTS names hosts and networks"
            " that may be"
        )


async def resolve_checked(host: str, port: int, allowed: AllowedHosts) -> list[str]:
    """The addresses of ``host`` that the server may connect to over TCP, in the resolver's order.

    Raises ``OSError`` where the name is not found, ``RefusedAddressError`` where none is left.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"{host[:80]!r} is no host name") from error
    good, refusal = [], None
    for address in dict.fromkeys(str(info[4][0]) for info in found):
        try:
            check_address(host, address, allowed)
        except RefusedAddressError as error:
            refusal = refusal or error
        else:
            good.append(address)
    if refusal and not good:
        raise refusal
    return good


def _parsed(address: str | Address) -> Address:
    return ipaddress.ip_address(address.split("%")[0] if isinstance(address, str) else address)


def _embedded(address: Address) -> Address:
    """The IPv4 address that a gateway would make of an IPv6 one, else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _forbidden_kind(address: Address) -> str:
    """What is wrong with ``address``, in a word; empty if it is public."""
    if address.is_loopback:
        return "loopback"
    if address.is_link_local or address in _PUBLIC_METADATA:
        return "link-local or metadata"
    if address.is_multicast:
        return "multicast"
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    if not address.is_global or address.is_reserved or site_local:
        return "private or reserved"
    return ""


def _canonical(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")
