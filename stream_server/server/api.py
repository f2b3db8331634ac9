"""The small HTTP answers: health, metrics, who is watching, and getting in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stream_server import __version__, protocol, resources
from stream_server.accuracy import told_of
from stream_server.problem import ProblemError
from stream_server.server.auth import COOKIE, bearer_token, caller_of
from stream_server.server.pairing.store import LIFETIME, TICKET_LIFETIME
from stream_server.server.pairing.tables import Paired
from stream_server.server.root_path import ROOT_PATH
from stream_server.server.services import Services
from stream_server.session import Session, limits


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
    trouble = await services.readiness.trouble()
    if trouble:
        raise ProblemError(503, f"the engine gave no answer: {trouble}")
    return JSONResponse({"status": "ready", **_engine(services)})


async def metrics(request: Request) -> Response:
    """Prometheus metrics, in its own format or OpenMetrics, as the scraper asks."""
    text, media_type = _services(request).metrics.text(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": media_type})


async def openapi(request: Request) -> Response:
    """The description of this interface."""
    described = json.loads((resources.web_dir() / "openapi.json").read_bytes())
    if prefix := request.scope.get(ROOT_PATH):
        described["servers"] = [{"url": prefix}]
    return JSONResponse(described)


async def info(request: Request) -> Response:
    """What this server is and can do."""
    services = _services(request)
    settings = services.settings
    return JSONResponse(
        {
            "version": __version__,
            "protocol": protocol.VERSION,
            **_engine(services),
            "sample_hz": settings.sample_hz,
            "window": settings.window,
            "limits": limits(settings),
            "models": list(services.engine.repository.members),
            "accuracy": told_of(services.engine.repository.parameters),
            "thresholds": {"fake": services.policy.fake, "real": services.policy.real},
            "scope": "face manipulation; sound and wholly generated video are not judged",
        }
    )


def _engine(services: Services) -> dict[str, Any]:
    engine = services.engine
    return {"engine": engine.in_use, "fallback": engine.fallback}


async def streams(request: Request) -> Response:
    """The streams that are open now."""
    return JSONResponse([_stream(one) for one in _services(request).streams])


def _stream(one: Session) -> dict[str, Any]:
    counters = one.live.counters
    return {
        "id": one.id,
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
    """Exchange the token of the printed link, or a ticket, for a cookie hidden from scripts."""
    fields = await _json(request)
    token, ticket = fields.get("token"), fields.get("ticket")
    services = _services(request)
    authority = services.authority
    if isinstance(ticket, str):
        if not await services.tickets.redeem(ticket):
            raise ProblemError(403, "this ticket was used already, or is more than a minute old")
    elif not isinstance(token, str):
        raise ProblemError(400, 'the body must be {"token": "..."} or {"ticket": "..."}')
    elif not authority.is_own(token):
        raise ProblemError(
            403, "wrong token; open the link that the server printed when it started"
        )
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE,
        authority.cookie,
        max_age=30 * 24 * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


async def new_ticket(request: Request) -> Response:
    """A ticket with which one of the server's own pages gets in, once and soon."""
    issued = await _services(request).tickets.issue()
    return JSONResponse({"ticket": issued, "expires_s": TICKET_LIFETIME}, 201)


async def swap_models(request: Request) -> Response:
    """Go over to other models without ending a stream; for the server's own token alone."""
    if caller_of(request).name != "owner":
        raise ProblemError(403, "models are swapped with the server's own token")
    fields = await _json(request)
    path, triton_url = fields.get("path"), fields.get("triton_url", "")
    if not isinstance(path, str) or not isinstance(triton_url, str):
        raise ProblemError(400, 'the body must be {"path": "/a/folder/of/this/machine"}')
    await request.app.state.swap.to(Path(path), triton_url)
    services = _services(request)
    return JSONResponse({**_engine(services), "models": list(services.engine.repository.members)})


async def start_pairing(request: Request) -> Response:
    """Show six digits at the server."""
    number = await _services(request).pairings.start(_origin(request))
    return JSONResponse({"id": number, "expires_s": LIFETIME}, 201)


async def finish_pairing(request: Request) -> Response:
    """A token bound to the caller's Origin, for the right digits; without digits, once somebody at
    the server's own page has let it in."""
    code = (await _json(request)).get("code", 0)
    pairings = _services(request).pairings
    number, origin = request.path_params["id"], _origin(request)
    if code is None:
        collected = await pairings.collect(number, origin)
        if collected is None:
            return JSONResponse({"page": pairings.page_is_open}, 202)
        return JSONResponse({"token": collected})
    if not isinstance(code, str):
        raise ProblemError(400, 'the body must be {"code": "six digits"}, or {"code": null}')
    token = await pairings.finish(number, "".join(code.split()), origin)
    return JSONResponse({"token": token})


async def asked_pairings(request: Request) -> Response:
    """Who waits to be let in, the latest first."""
    _refuse_paired(request)
    waiting = await _services(request).pairings.waiting()
    return JSONResponse([{"id": one.id, "origin": one.origin, "made": one.made} for one in waiting])


async def allow_pairing(request: Request) -> Response:
    """Let in who waits, without digits."""
    _refuse_paired(request)
    asked = request.path_params["id"]
    if (await _json(request)).get("allowed") is not True:
        raise ProblemError(400, 'the body must be {"allowed": true}')
    if not await _services(request).pairings.allow(asked):
        raise ProblemError(404, f"no browser waits as {asked[:40]!r}; it may have waited too long")
    return Response(status_code=204)


async def end_pairing(request: Request) -> Response:
    """Forget the paired token that the request carries."""
    token = bearer_token(request)
    if token is None or not await _services(request).pairings.forget(token):
        raise ProblemError(404, "the request carries no token that came from pairing")
    return Response(status_code=204)


async def pairings(request: Request) -> Response:
    """Who is paired, the latest first."""
    _refuse_paired(request)
    return JSONResponse([_paired(one) for one in await _services(request).pairings.all()])


async def revoke_pairing(request: Request) -> Response:
    """Unpair somebody else's browser, at every server; its streams end."""
    _refuse_paired(request)
    holder = request.path_params["id"]
    if not await _services(request).pairings.revoke(holder):
        raise ProblemError(404, f"there is no pairing {holder[:40]!r}")
    return Response(status_code=204)


def _refuse_paired(request: Request) -> None:
    # Who finds an open laptop may not keep its owner out by it.
    if caller_of(request).name == "paired":
        raise ProblemError(403, "pairings are seen to with the server's own token, or a named one")


def _paired(one: Paired) -> dict[str, Any]:
    return {
        "id": one.holder,
        "origin": one.origin,
        "made": one.made,
        "seen": one.seen,
    }


def _origin(request: Request) -> str:
    return request.headers.get("origin", "")


async def _json(request: Request) -> dict[str, Any]:
    """The fields of a JSON object, none for anything else."""
    body = await request.body()  # over the limit it raises what becomes the answer
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):  # a number of too many digits is no JSONDecodeError
        return {}
    return fields if isinstance(fields, dict) else {}
