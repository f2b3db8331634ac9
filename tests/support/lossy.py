"""A bad network on loopback: a UDP relay that loses and delays datagrams."""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any


class LossyRelay:
    """Stands before one address. ``loss`` is a share of datagrams, ``delay`` seconds one way.

    ``down`` swallows everything, as a cable that was pulled does.
    """

    def __init__(self, loss: float = 0.0, delay: float = 0.0, seed: int = 1) -> None:
        self.loss = loss
        self.delay = delay
        self.down = False
        self.passed = self.lost = 0
        self.port = 0
        self._random = random.Random(seed)
        self._ways: list[asyncio.DatagramTransport] = []

    async def __aenter__(self) -> LossyRelay:
        return self

    async def __aexit__(self, *error: Any) -> None:
        for way in self._ways:
            way.close()

    async def stand_before(self, host: str, port: int) -> int:
        """Listen on a new port; what comes there goes to ``host:port`` and back."""
        loop = asyncio.get_running_loop()
        relay = self
        client: list[Any] = []

        class Far(asyncio.DatagramProtocol):
            def datagram_received(self, data: Any, addr: Any) -> None:
                if client:
                    relay._carry(near, data, client[0])

        class Near(asyncio.DatagramProtocol):
            def datagram_received(self, data: Any, addr: Any) -> None:
                client[:] = [addr]
                relay._carry(far, data, None)

        far, _ = await loop.create_datagram_endpoint(Far, remote_addr=(host, port))
        near, _ = await loop.create_datagram_endpoint(Near, local_addr=(host, 0))
        self._ways += [far, near]
        self.port = near.get_extra_info("sockname")[1]
        return self.port

    def _carry(self, way: Any, data: bytes, addr: Any) -> None:
        if self.down or self._random.random() < self.loss:
            self.lost += 1
            return
        self.passed += 1
        asyncio.get_running_loop().call_later(self.delay, self._send, way, data, addr)

    @staticmethod
    def _send(way: Any, data: bytes, addr: Any) -> None:
        if not way.is_closing():
            way.sendto(data, addr)


def candidate_of(answer: str) -> tuple[str, int]:
    """Host and port of the first candidate of an answer."""
    found = re.search(r"a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", answer)
    assert found, answer
    return found[1], int(found[2])


def through(answer: str, port: int) -> str:
    """The answer with its candidates on ``port``."""
    return re.sub(r"(a=candidate:\S+ 1 udp \d+ \S+) \d+ typ host", rf"\1 {port} typ host", answer)
