"""ICE restart (RFC 9725, 4.3.3): another network path under the same DTLS session.

aiortc ties a DTLS session to one ICE connection for life. Here a rope hangs between the two: it
hands on what comes from whichever connection is in use, and when that is gone it holds still for a
while instead of ending the session, so that a client that changes networks can come back.
"""

from __future__ import annotations

import asyncio
import contextlib

from aioice import Connection
from aiortc import RTCIceTransport

_WAITING = 2000  # datagrams between ICE and DTLS; more are lost, as on any network
_MONITOR = "_RTCIceTransport__monitor_task"
_STATE = "_RTCIceTransport__setState"


class Rope:
    """Carries the datagrams of ``transport``, which must not have started yet.

    Raises ``AttributeError`` where this release of aiortc has no such parts.
    """

    def __init__(self, transport: RTCIceTransport, patience: float) -> None:
        for name in (_MONITOR, _STATE):
            getattr(transport, name)
        self._transport = transport
        self._patience = patience
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None
        self._attempt: Connection | None = None
        transport._recv = self._recv
        transport._send = self._send

    @property
    def connection(self) -> Connection:
        """Where new candidates of the peer belong."""
        return self._attempt or self._transport._connection

    async def begin(self, attempt: Connection) -> None:
        """Take candidates for ``attempt`` from now on, which has gathered its own."""
        before, self._attempt = self._attempt, attempt
        if before is not None:
            await before.close()

    async def change(self, seconds: float) -> None:
        """Connect the attempt and let it take over; what was in use serves until then.

        Raises ``ConnectionError`` when it does not connect within ``seconds``.
        """
        attempt = self._attempt
        assert attempt is not None
        try:
            async with asyncio.timeout(seconds):
                await attempt.connect()
        except (TimeoutError, ConnectionError):
            await attempt.close()
            raise ConnectionError(f"no connection within {seconds:g} s of the restart") from None
        finally:
            if self._attempt is attempt:
                self._attempt = None
        transport = self._transport
        before, transport._connection = transport._connection, attempt
        # The old monitor would call the session failed when the old connection closes.
        monitor = getattr(transport, _MONITOR)
        if monitor is not None:
            monitor.cancel()
        setattr(transport, _MONITOR, asyncio.ensure_future(transport._monitor()))
        if self._pump is not None:
            self._pump.cancel()
            self._pump = asyncio.create_task(self._carry(attempt))
        getattr(transport, _STATE)("completed")
        await before.close()

    async def close(self) -> None:
        """Let go of everything."""
        if self._pump is not None:
            self._pump.cancel()
        if self._attempt is not None:
            await self._attempt.close()

    async def _recv(self) -> bytes:
        if self._pump is None:  # the first call comes when ICE is connected
            self._pump = asyncio.create_task(self._carry(self._transport._connection))
        data = await self._inbox.get()
        if data is None:
            raise ConnectionError("the connection is gone")
        return data

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # lost, until the peer comes back
            await self._transport._connection.send(data)

    async def _carry(self, connection: Connection) -> None:
        try:
            while True:
                data = await connection.recv()
                if self._inbox.qsize() < _WAITING:
                    self._inbox.put_nowait(data)
        except ConnectionError:
            if connection._closing and self._transport.state == "closed":
                self._inbox.put_nowait(None)
                return
        await asyncio.sleep(self._patience)
        self._inbox.put_nowait(None)


def fragment_of(connection: Connection) -> str:
    """Credentials and candidates of ``connection`` as ``application/trickle-ice-sdpfrag``."""
    lines = [
        f"a=ice-ufrag:{connection.local_username}",
        f"a=ice-pwd:{connection.local_password}",
        "m=video 9 UDP/TLS/RTP/SAVPF 0",
        "a=mid:0",
        *(f"a=candidate:{candidate.to_sdp()}" for candidate in connection.local_candidates),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"
