"""A proxy between ICE and DTLS, so that the network path may change under a session.

aiortc ties a DTLS session to one ICE connection for life. The proxy hands on what comes from
whichever connection is in use, and when that is gone it holds still for a while instead of ending
the session, so that a client that changes networks can come back by an ICE restart (RFC 9725,
4.3.3).
"""

from __future__ import annotations

import asyncio
import contextlib

from aioice import Connection
from aiortc import RTCIceTransport

from stream_server.ingest.webrtc.aiortc_private import (
    connection_of,
    is_closing,
    replace_connection,
    stand_between,
)

_WAITING = 2000  # datagrams between ICE and DTLS; more are lost, as on any network


class IceProxy:
    """Carries the datagrams of ``transport``, which must not have started yet.

    A lost connection has ``patience`` seconds to be replaced.
    """

    def __init__(self, transport: RTCIceTransport, patience: float) -> None:
        self._transport = transport
        self._patience = patience
        self._inbox: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._pump: asyncio.Task[None] | None = None
        self._attempt: Connection | None = None
        stand_between(transport, self._receive, self._send)

    @property
    def connection(self) -> Connection:
        """Where new candidates of the peer belong."""
        return self._attempt or connection_of(self._transport)

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
        before = replace_connection(self._transport, attempt)
        if self._pump is not None:
            self._pump.cancel()
            self._pump = asyncio.create_task(self._carry(attempt))
        await before.close()

    async def close(self) -> None:
        """Let go of everything."""
        if self._pump is not None:
            self._pump.cancel()
        if self._attempt is not None:
            await self._attempt.close()

    async def _receive(self) -> bytes:
        if self._pump is None:  # the first call comes when ICE is connected
            self._pump = asyncio.create_task(self._carry(connection_of(self._transport)))
        data = await self._inbox.get()
        if data is None:
            raise ConnectionError("the connection is gone")
        return data

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # lost, until the peer comes back
            await connection_of(self._transport).send(data)

    async def _carry(self, connection: Connection) -> None:
        try:
            while True:
                data = await connection.recv()
                if self._inbox.qsize() < _WAITING:
                    self._inbox.put_nowait(data)
        except ConnectionError:
            if is_closing(connection) and self._transport.state == "closed":
                self._inbox.put_nowait(None)
                return
        await asyncio.sleep(self._patience)
        self._inbox.put_nowait(None)
