"""The small HTTP answers: health, metrics, who is watching, and getting in."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stream_server import __version__, protocol, resources
from stream_server.server.auth import same, session_cookie
from stream_server.server.gate import COOKIE
from stream_server.server.pairing import LIFETIME, PairingError
from stream_server.server.problems import problem
from stream_server.server.services import OpenStream, Services

_MAX_BODY = 8 * 1024


def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


async def healthz(request: Request) -> Response:
    """Alive: the process answers."""
    del request
    return JSONResponse({"status": "alive"})


async def readyz(request: Request) -> Response:
    """Ready: a real inference went through within the last second."""
    services = _services(request)
    trouble = await services.probe()
    if trouble:
        return problem(503, f"the engine gave no answer: {trouble}")
    return JSONResponse(
        {"status": "ready", "engine": services.engine_in_use(), "fallback": services.fallback()}
    )


async def metrics(request: Request) -> Response:
    """Prometheus metrics."""
    text = _services(request).metrics.text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


async def openapi(request: Request) -> Response:
    """The description of this interface."""
    del request
    return Response(
        (resources.web_dir() / "openapi.json").read_bytes(), media_type="application/json"
    )


async def info(request: Request) -> Response:
    """What this server is and can do."""
    services = _services(request)
    settings = services.settings
    return JSONResponse(
        {
            "version": __version__,
            "protocol": protocol.VERSION,
            "engine": services.engine_in_use(),
            "fallback": services.fallback(),
            "sample_hz": settings.sample_hz,
            "window": settings.window,
            "limits": services.limits(),
            "models": list(services.repository.members),
            "thresholds": {"fake": services.policy.fake, "real": services.policy.real},
            "scope": "face manipulation; sound and wholly generated video are not judged",
        }
    )


async def streams(request: Request) -> Response:
    """The streams that are open now."""
    return JSONResponse([_stream(one) for one in _services(request).streams.values()])


def _stream(one: OpenStream) -> dict[str, Any]:
    counters = one.live.counters
    return {
        "id": one.live.id,
        "source": one.source.model_dump(exclude_none=True),
        "opened": one.opened,
        "window": one.window,
        "paused": one.live.paused,
        "received": counters.received,
        "analysed": counters.analysed,
        "dropped": counters.dropped,
        "faces": [face.as_message() for face in one.live.faces],
    }


async def session(request: Request) -> Response:
    """Exchange the token of the printed link for a cookie that scripts cannot read."""
    fields = await _body(request)
    token = fields.get("token") if fields is not None else None
    if not isinstance(token, str):
        return problem(400, 'the body must be {"token": "..."}')
    services = _services(request)
    if not same(token, services.token):
        return problem(403, "wrong token; open the link that the server printed when it started")
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        session_cookie(services.token),
        max_age=30 * 24 * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def start_pairing(request: Request) -> Response:
    """Show six digits at the server."""
    try:
        number = _services(request).pairings.start(_origin(request))
    except PairingError as error:
        return problem(error.status, str(error))
    return JSONResponse({"id": number, "expires_s": LIFETIME}, 201)


async def finish_pairing(request: Request) -> Response:
    """A token bound to the caller's Origin, for the right digits."""
    fields = await _body(request)
    code = fields.get("code") if fields is not None else None
    if not isinstance(code, str):
        return problem(400, 'the body must be {"code": "six digits"}')
    digits = "".join(code.split())
    try:
        token = _services(request).pairings.finish(
            request.path_params["id"], digits, _origin(request)
        )
    except PairingError as error:
        if error.tries_left is None:
            return problem(error.status, str(error))
        return problem(error.status, str(error), tries_left=error.tries_left)
    return JSONResponse({"token": token})


async def end_pairing(request: Request) -> Response:
    """Forget the paired token that the request carries."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and _services(request).pairings.forget(token.strip()):
        return Response(status_code=204)
    return problem(404, "the request carries no token that came from pairing")


def _origin(request: Request) -> str:
    return request.headers.get("origin", "")


async def _body(request: Request) -> dict[str, Any] | None:
    """A small JSON object, or ``None`` for anything else."""
    received = b""
    async for chunk in request.stream():
        received += chunk
        if len(received) > _MAX_BODY:
            return None
    try:
        fields = json.loads(received)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None
