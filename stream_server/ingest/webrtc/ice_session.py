"""The ICE side of a WHIP session: candidates that come later, and restarts (RFC 9725, 4.3)."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable

from aioice import Candidate, Connection
from aiortc import RTCIceTransport

from stream_server.ingest.webrtc import ice
from stream_server.ingest.webrtc.ice_proxy import IceProxy
from stream_server.ingest.webrtc.sdp import MAX_CANDIDATES, Fragment, OfferError
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
MAX_RESTARTS = 64
_PATIENCE = 15.0  # seconds that a lost connection has to come back by a restart


class IceSession:
    """What a client may say about the network path of ``transport``, which has not started yet.

    So many ``candidates`` came with the offer; ``connected`` tells whether the session has been
    connected once. ``etag`` names the ICE session, a restart begins another;
    ``renewed`` is when one last succeeded, on the monotonic clock.
    """

    def __init__(
        self,
        stream: str,
        transport: RTCIceTransport,
        settings: Settings,
        *,
        candidates: int,
        connected: Callable[[], bool],
    ) -> None:
        self.etag = secrets.token_hex(8)
        self.renewed = time.monotonic()
        self._stream = stream
        self._settings = settings
        self._candidates = candidates
        self._connected = connected
        self._restarts = 0
        self._changing: set[asyncio.Task[None]] = set()
        self._proxy = IceProxy(transport, _PATIENCE)

    async def trickle(self, fragment: Fragment) -> None:
        """Take further candidates. Raises ``OfferError`` over the limit or for a broken one."""
        self._candidates += len(fragment.candidates)
        if self._candidates > MAX_CANDIDATES:
            raise OfferError(
                422, f"{self._candidates} candidates in this session; the limit is {MAX_CANDIDATES}"
            )
        await _add(self._proxy.connection, fragment)

    async def restart(self, fragment: Fragment) -> str:
        """Begin an ICE restart; the answering fragment. Raises ``OfferError``."""
        if not fragment.ufrag or not fragment.password:
            raise OfferError(400, "a restart needs a=ice-ufrag and a=ice-pwd")
        if not self._connected():
            raise OfferError(422, "the session has not connected yet; there is nothing to restart")
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise OfferError(422, f"{self._restarts} restarts; the limit is {MAX_RESTARTS}")
        attempt = ice.new_connection(self._settings)
        await attempt.gather_candidates()
        attempt.remote_username, attempt.remote_password = fragment.ufrag, fragment.password
        await self._proxy.begin(attempt)
        self._candidates = len(fragment.candidates)
        await _add(attempt, fragment)
        self.etag = secrets.token_hex(8)
        task = asyncio.create_task(self._change())
        self._changing.add(task)
        task.add_done_callback(self._changing.discard)
        return ice.fragment_of(attempt).text()

    async def abandon_restarts(self) -> None:
        """Let no other connection take over any more; before the transport is closed."""
        for task in self._changing:
            task.cancel()
        await asyncio.gather(*self._changing, return_exceptions=True)

    async def close(self) -> None:
        """Let go of everything; after the transport was closed."""
        await self.abandon_restarts()
        await self._proxy.close()

    async def _change(self) -> None:
        try:
            await self._proxy.change(self._settings.webrtc_connect_seconds)
        except ConnectionError as error:
            _log.info("stream %s: %s", self._stream, error)
        else:
            self.renewed = time.monotonic()


async def _add(connection: Connection, fragment: Fragment) -> None:
    for line in fragment.candidates:
        try:
            candidate = Candidate.from_sdp(line.removeprefix("candidate:"))
        except (ValueError, IndexError, AssertionError):
            raise OfferError(400, f"the candidate {line[:60]!r} cannot be read") from None
        await connection.add_remote_candidate(candidate)
