"""The WHIP endpoint (RFC 9725) and a stream's own address: PATCH, DELETE and events.

POST   /whip                     application/sdp -> 201, the answer, Location: /v1/streams/{id}
PATCH  /v1/streams/{id}          application/trickle-ice-sdpfrag -> 204, or 200 after a restart
DELETE /v1/streams/{id}          200; ends the stream
GET    /v1/streams/{id}/events   text/event-stream
"""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from stream_server.ingest.webrtc.ice import link_headers
from stream_server.ingest.webrtc.peer import Peer
from stream_server.ingest.webrtc.sdp import OfferError, check_offer, read_fragment
from stream_server.protocol import MAX_WINDOW, MIN_WINDOW, Close, Source
from stream_server.server.gate import HOLDER, ROLE
from stream_server.server.problems import problem
from stream_server.server.services import OverLimitError, Services

_log = logging.getLogger(__name__)
MAX_SDP_BYTES = 64 * 1024
MAX_FRAGMENT_BYTES = 16 * 1024
_KINDS: tuple[Literal["tab", "camera", "file"], ...] = ("tab", "camera", "file")
_END_SECONDS = 2.0
_SDP = "application/sdp"
_FRAGMENT = "application/trickle-ice-sdpfrag"


class Whip:
    """The endpoints over one server's WebRTC sessions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._peers: dict[str, Peer] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        for stack in ("aioice", "aiortc"):  # they tell every check, with the peer's addresses
            logging.getLogger(stack).setLevel(logging.WARNING)

    @property
    def routes(self) -> list[Route]:
        """What the application adds to its routes."""
        return [
            Route("/whip", self.post, methods=["POST"]),
            Route("/whip", self.options, methods=["OPTIONS"]),
            Route("/v1/streams/{id}", self.patch, methods=["PATCH"]),
            Route("/v1/streams/{id}", self.delete, methods=["DELETE"]),
            Route("/v1/streams/{id}/events", self.events),
        ]

    async def options(self, request: Request) -> Response:
        """What may be posted."""
        del request
        return Response(status_code=204, headers={"Accept-Post": _SDP})

    async def post(self, request: Request) -> Response:
        """Open a session for the offer in the body."""
        if self._services.stopping.is_set():
            return problem(503, "the server is stopping")
        try:
            offer = check_offer(await _text(request, _SDP, MAX_SDP_BYTES))
            source, window = _wishes(request, self._services.settings.window)
            owner = request.scope[HOLDER]
            peer = Peer(self._services, holder=owner, source=source, window=window)
        except OfferError as error:
            return problem(error.status, str(error))
        except OverLimitError as error:
            return problem(429, str(error))
        try:
            answer = await peer.answer(offer)
        except BaseException as error:
            await peer.let_go()
            if isinstance(error, OfferError):
                return problem(error.status, str(error))
            raise
        self._start(peer)
        response = Response(answer, 201, media_type=_SDP)
        response.headers["Location"] = f"/v1/streams/{peer.live.id}"
        response.headers["ETag"] = f'"{peer.etag}"'
        response.headers["Accept-Patch"] = _FRAGMENT
        for link in link_headers(self._services.settings):
            response.headers.append("Link", link)
        return response

    async def patch(self, request: Request) -> Response:
        """Further candidates (RFC 9725, 4.3.2) or an ICE restart (4.3.3)."""
        peer = self._own(request)
        if isinstance(peer, Response):
            return peer
        match = request.headers.get("if-match")
        if match is None:
            return problem(428, 'PATCH needs If-Match: the ETag of the session, or "*" to restart')
        try:
            fragment = read_fragment(await _text(request, _FRAGMENT, MAX_FRAGMENT_BYTES))
            if match.strip() in ("*", '"*"'):
                return Response(
                    await peer.restart(fragment),
                    200,
                    {"ETag": f'"{peer.etag}"'},
                    _FRAGMENT,
                )
            if match.strip() != f'"{peer.etag}"':
                return problem(412, f"If-Match is {match[:40]!r}; the session has another ETag")
            await peer.trickle(fragment)
        except OfferError as error:
            return problem(error.status, str(error))
        return Response(status_code=204, headers={"ETag": f'"{peer.etag}"'})

    async def delete(self, request: Request) -> Response:
        """End a stream, whichever transport it came by."""
        one = self._services.streams.get(request.path_params["id"])
        if one is None or not _may(request, one.holder):
            return _unknown(request)
        one.close(Close.NORMAL, "ended over HTTP")
        running = self._running.get(one.live.id)
        if running is not None:
            await asyncio.wait({running}, timeout=_END_SECONDS)
        return Response(status_code=200)

    async def events(self, request: Request) -> Response:
        """The messages of a WebRTC stream as server-sent events."""
        peer = self._own(request)
        if isinstance(peer, Response):
            return peer
        if peer.outlets.full:
            return problem(429, "too many readers follow this stream")
        return StreamingResponse(
            peer.outlets.events(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    def _start(self, peer: Peer) -> None:
        self._peers[peer.live.id] = peer
        task = asyncio.create_task(peer.run())
        self._running[peer.live.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(peer.live.id, None)
            self._peers.pop(peer.live.id, None)
            if not done.cancelled() and done.exception() is not None:
                _log.error("stream %s ended badly", peer.live.id, exc_info=done.exception())

        task.add_done_callback(ended)

    def _own(self, request: Request) -> Peer | Response:
        peer = self._peers.get(request.path_params["id"])
        if peer is None or not _may(request, peer.holder):
            return _unknown(request)
        return peer


def _unknown(request: Request) -> Response:
    return problem(404, f"no WebRTC stream is open at {request.url.path[:80]}")


def _may(request: Request, owner: str) -> bool:
    return bool(request.scope[ROLE] == "operator" or request.scope[HOLDER] == owner)


def _wishes(request: Request, window: int) -> tuple[Source, int]:
    """``?window=``, ``?title=`` and ``?kind=``: a WHIP client has no hello to put them in."""
    asked = request.query_params.get("window")
    if asked is not None:
        whole = asked.isascii() and asked.isdigit() and len(asked) < 4
        if not whole or not MIN_WINDOW <= int(asked) <= MAX_WINDOW:
            limits = f"{MIN_WINDOW} to {MAX_WINDOW}"
            raise OfferError(400, f"window is {asked[:20]!r}, not a whole number from {limits}")
        window = int(asked)
    title = request.query_params.get("title")
    if title is not None and len(title) > 4096:
        raise OfferError(400, f"the title has {len(title)} characters; the limit is 4096")
    asked_kind = request.query_params.get("kind", "camera")
    kind = next((one for one in _KINDS if one == asked_kind), None)
    if kind is None:
        raise OfferError(400, f"kind is {asked_kind[:20]!r}; known: {', '.join(_KINDS)}")
    return Source(kind=kind, title=title), window


async def _text(request: Request, kind: str, most: int) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != kind:
        raise OfferError(415, f"the body is {given[:60]!r}; it must be {kind}")
    claimed = request.headers.get("content-length", "")
    if claimed.isdigit() and int(claimed) > most:
        raise OfferError(413, f"the body claims {claimed} bytes; the limit is {most}")
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > most:
            raise OfferError(413, f"the body is over {most} bytes, which is the limit")
    try:
        return received.decode("utf-8")
    except UnicodeDecodeError:
        raise OfferError(400, "the body is not UTF-8") from None
