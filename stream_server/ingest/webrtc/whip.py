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
from stream_server.ingest.webrtc.outlets import TooManyReadersError
from stream_server.ingest.webrtc.peer import Peer
from stream_server.ingest.webrtc.sdp import OfferError, check_offer, read_fragment
from stream_server.problem import ProblemError
from stream_server.protocol import Close, Source
from stream_server.server.auth import caller_of
from stream_server.server.services import Services
from stream_server.session import Session
from stream_server.window_limits import MAX_WINDOW, MIN_WINDOW

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
            raise ProblemError(503, "the server is stopping")
        offer = check_offer(await _text(request, _SDP))
        source, window = _wishes(request)
        monitor = request.query_params.get("monitor")
        peer = Peer(self._services, caller_of(request), source, window, monitor)
        try:
            answer = await peer.answer(offer)
        except BaseException:
            await peer.let_go()
            raise
        self._start(peer)
        response = Response(answer, 201, media_type=_SDP)
        response.headers["Location"] = f"/v1/streams/{peer.session.id}"
        response.headers["ETag"] = f'"{peer.ice.etag}"'
        response.headers["Accept-Patch"] = _FRAGMENT
        for link in link_headers(self._services.settings):
            response.headers.append("Link", link)
        return response

    async def patch(self, request: Request) -> Response:
        """Further candidates (RFC 9725, 4.3.2) or an ICE restart (4.3.3)."""
        peer = self._own(request)
        match = request.headers.get("if-match")
        if match is None:
            raise ProblemError(
                428, 'PATCH needs If-Match: the ETag of the session, or "*" to restart'
            )
        fragment = read_fragment(await _text(request, _FRAGMENT))
        if match.strip() in ("*", '"*"'):
            answer = await peer.ice.restart(fragment)
            return Response(answer, 200, {"ETag": f'"{peer.ice.etag}"'}, _FRAGMENT)
        if match.strip() != f'"{peer.ice.etag}"':
            raise ProblemError(412, f"If-Match is {match[:40]!r}; the session has another ETag")
        await peer.ice.trickle(fragment)
        return Response(status_code=204, headers={"ETag": f'"{peer.ice.etag}"'})

    async def delete(self, request: Request) -> Response:
        """End a stream, whichever transport it came by."""
        session = _allowed(request, self._services.streams.get(request.path_params["id"]))
        session.close(Close.NORMAL, "ended over HTTP")
        running = self._running.get(session.id)
        if running is not None:
            await asyncio.wait({running}, timeout=_END_SECONDS)
        return Response(status_code=200)

    async def events(self, request: Request) -> Response:
        """The messages of a WebRTC stream as server-sent events."""
        peer = self._own(request)
        if peer.outlets.full:
            raise TooManyReadersError
        return StreamingResponse(
            peer.outlets.events(),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    def _start(self, peer: Peer) -> None:
        self._peers[peer.session.id] = peer
        task = asyncio.create_task(peer.run())
        self._running[peer.session.id] = task

        def ended(done: asyncio.Task[None]) -> None:
            self._running.pop(peer.session.id, None)
            self._peers.pop(peer.session.id, None)
            if not done.cancelled() and done.exception() is not None:
                _log.error("stream %s ended badly", peer.session.id, exc_info=done.exception())

        task.add_done_callback(ended)

    def _own(self, request: Request) -> Peer:
        peer = self._peers.get(request.path_params["id"])
        _allowed(request, None if peer is None else peer.session)
        assert peer is not None
        return peer


def _allowed(request: Request, session: Session | None) -> Session:
    """``session`` if the caller may follow and end it. Raises ``ProblemError`` (404)."""
    caller = caller_of(request)
    if session is None or (caller.role != "operator" and caller.holder != session.holder):
        raise ProblemError(404, f"no WebRTC stream is open at {request.url.path[:80]}")
    return session


def _wishes(request: Request) -> tuple[Source, int | None]:
    """``?title=``, ``?kind=`` and ``?window=``: a WHIP client has no hello to put them in."""
    title = request.query_params.get("title")
    if title is not None and len(title) > 4096:
        raise OfferError(400, f"the title has {len(title)} characters; the limit is 4096")
    asked = request.query_params.get("kind", "camera")
    kind = next((one for one in _KINDS if one == asked), None)
    if kind is None:
        raise OfferError(400, f"kind is {asked[:20]!r}; known: {', '.join(_KINDS)}")
    return Source(kind=kind, title=title), _window(request.query_params.get("window"))


def _window(asked: str | None) -> int | None:
    if asked is None:
        return None
    whole = asked.isascii() and asked.isdigit() and len(asked) < 4
    if not whole or not MIN_WINDOW <= int(asked) <= MAX_WINDOW:
        limits = f"{MIN_WINDOW} to {MAX_WINDOW}"
        raise OfferError(400, f"window is {asked[:20]!r}, not a whole number from {limits}")
    return int(asked)


async def _text(request: Request, kind: str) -> str:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given != kind:
        raise OfferError(415, f"the body is {given[:60]!r}; it must be {kind}")
    try:
        return (await request.body()).decode("utf-8")
    except UnicodeDecodeError:
        raise OfferError(400, "the body is not UTF-8") from None
