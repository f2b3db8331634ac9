"""What the machine's network allows."""

from __future__ import annotations

from aioice.ice import get_host_addresses

OUTSIDE_LOOPBACK = bool(get_host_addresses(use_ipv4=True, use_ipv6=True))
NO_NETWORK = "this machine has no address besides loopback, which browsers leave out of WebRTC"
