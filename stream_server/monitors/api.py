"""The HTTP side of monitors and incidents: ``/v1/monitors`` and ``/v1/incidents``."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stream_server.forms import parsed
from stream_server.labelled_set import labelled_set
from stream_server.languages import worded
from stream_server.monitors.described import described_incident
from stream_server.monitors.events import Event, Subscription
from stream_server.monitors.forms import Mark, MonitorChange, NewMonitor
from stream_server.monitors.labelled_set import examples
from stream_server.monitors.service import MonitorService
from stream_server.monitors.source import PUSHED
from stream_server.monitors.store.incidents import FILTERS, Filter
from stream_server.monitors.store.tables import Incident, Monitor
from stream_server.problem import ProblemError
from stream_server.redaction import without_secrets
from stream_server.server.auth import caller_of

_HEARTBEAT = 10.0
_MOST = 1000  # incidents of one answer
_NO_STORE = {"Cache-Control": "no-store"}
_STREAM = {**_NO_STORE, "X-Accel-Buffering": "no"}
_IN_HEADER = ("track", "box", "probability", "verdict")
_KINDS = {"still.jpg": "still", "clip.mp4": "clip", "heat.json": "heat"}


def _service(request: Request) -> MonitorService:
    service: MonitorService = request.app.state.monitors
    return service


async def create(request: Request) -> Response:
    """Watch a stream from now on."""
    service, new = _service(request), await parsed(request, NewMonitor)
    await service.check(new.url)
    monitor = await service.create(
        new.url,
        new.name or _name_of(new.url),
        new.sample_hz or service.settings.sample_hz,
        new.evidence,
    )
    location = {"Location": f"/v1/monitors/{monitor.id}"}
    return JSONResponse(service.described(monitor), 201, location)


async def monitors(request: Request) -> Response:
    """All monitors, the oldest first."""
    service = _service(request)
    rows = await asyncio.to_thread(service.monitors.all)
    return JSONResponse([service.described(row) for row in rows], headers=_NO_STORE)


async def monitor(request: Request) -> Response:
    """One monitor, with the probabilities of the last minutes."""
    service, found = _service(request), await _monitor(request)
    timeline = await service.watchers.timeline(found.id)
    return JSONResponse({**service.described(found), "timeline": timeline}, headers=_NO_STORE)


async def change_monitor(request: Request) -> Response:
    """Pause, resume or rename."""
    service, found = _service(request), await _monitor(request)
    values = (await parsed(request, MonitorChange)).model_dump(exclude_none=True)
    if not values:
        raise ProblemError(400, worded("nothing to change; there are paused and name"))
    return JSONResponse(service.described(await service.change(found, **values)))


async def remove_monitor(request: Request) -> Response:
    """Stop to watch. The incidents stay."""
    await _service(request).remove(await _monitor(request))
    return Response(status_code=204)


async def picture(request: Request) -> Response:
    """The newest picture, which lies in memory only, with its faces in a header. ``width`` shrinks
    it."""
    service, found = _service(request), await _monitor(request)
    side = int(_number(request, "width", 640, 64, 1920))
    newest = None if found.paused else await service.watchers.picture(found.id, side)
    if newest is None:
        raise ProblemError(
            404, worded("there is no picture of monitor {id} at the moment", id=found.id)
        )
    faces = json.dumps([{name: face[name] for name in _IN_HEADER} for face in newest.faces])
    headers = {**_NO_STORE, "X-Captured-At": f"{newest.captured_at:.3f}", "X-Faces": faces}
    return Response(newest.jpeg, media_type="image/jpeg", headers=headers)


async def events(request: Request) -> Response:
    """Server-Sent Events: every monitor as it stands, then what changes."""
    service = _service(request)
    table = service.monitors  # an answer that has begun cannot say that the database is away

    async def told() -> AsyncIterator[str]:
        with service.events.subscribe() as listener:  # first, so that nothing is lost in between
            for row in await asyncio.to_thread(table.all):
                yield _as_text(Event("monitor", service.described(row)))
            async for text in _texts(listener):
                yield text

    return StreamingResponse(told(), media_type="text/event-stream", headers=_STREAM)


async def _texts(listener: Subscription) -> AsyncIterator[str]:
    while True:
        try:
            async with asyncio.timeout(_HEARTBEAT):
                event = await listener.next()
        except TimeoutError:
            yield ": \n\n"
            continue
        if event is None:
            return
        yield _as_text(event)


def _as_text(event: Event) -> str:
    return f"event: {event.name}\ndata: {json.dumps(event.payload, allow_nan=False)}\n\n"


async def incidents(request: Request) -> Response:
    """Incidents, the newest first."""
    service, query = _service(request), request.query_params
    state = query.get("state") or None
    if state is not None and state not in FILTERS:
        raise ProblemError(
            400,
            worded(
                "state is {state}; it is one of {known}",
                state=repr(state[:40]),
                known=", ".join(FILTERS),
            ),
        )
    found = await asyncio.to_thread(
        service.incidents.find,
        query.get("monitor") or None,
        cast("Filter | None", state),
        _number(request, "before", math.inf, 0, math.inf),
        query.get("before_id") or "",
        int(_number(request, "limit", _MOST, 1, _MOST)),
    )
    kept = await asyncio.to_thread(service.incidents.pictures, [one.id for one in found])
    shown = [described_incident(one, kept.get(one.id, ())) for one in found]
    return JSONResponse(shown, headers=_NO_STORE)


async def incident(request: Request) -> Response:
    """One incident."""
    return await _answer(request, await _incident(request))


async def mark(request: Request) -> Response:
    """Acknowledge it, call it wrong, leave a note; who did is written down."""
    found, said = await _incident(request), await parsed(request, Mark)
    values = said.model_dump(exclude_none=True, exclude={"by"})
    if not values:
        raise ProblemError(400, worded("nothing to mark; there are acknowledged, wrong and note"))
    by = said.by or caller_of(request).name
    marked = await asyncio.to_thread(_service(request).incidents.mark, found.id, by, **values)
    return await _answer(request, marked or found)


async def remove_incident(request: Request) -> Response:
    """Forget it, and what is kept of it."""
    found = await _incident(request)
    if found.closed_at is None:
        raise ProblemError(409, worded("this incident is open; pause its monitor first"))
    await asyncio.to_thread(_service(request).incidents.remove, found.id)
    return Response(status_code=204)


async def kept(request: Request) -> Response:
    """The still, the clip or the heat map of an incident whose monitor asked for evidence."""
    found, name = await _incident(request), request.path_params["name"]
    if name not in _KINDS:
        raise ProblemError(
            404,
            worded(
                "there is no {name}; there are {known}",
                name=repr(name[:40]),
                known=", ".join(_KINDS),
            ),
        )
    picture = await asyncio.to_thread(_service(request).incidents.picture, found.id, _KINDS[name])
    if picture is None:
        raise ProblemError(
            404, worded("no {kind} is kept of incident {id}", kind=_KINDS[name], id=found.id)
        )
    return Response(picture[1], media_type=picture[0], headers={"Cache-Control": "private"})


async def export(request: Request) -> Response:
    """The clips of the incidents that were marked wrong, as a set that ``training`` reads."""
    incidents = _service(request).incidents
    file = await asyncio.to_thread(lambda: labelled_set(examples(incidents)))
    headers = {"Content-Disposition": 'attachment; filename="fakelight-wrong.zip"', **_NO_STORE}

    async def chunks() -> AsyncIterator[bytes]:
        with file:
            while chunk := await asyncio.to_thread(file.read, 1 << 18):
                yield chunk

    return StreamingResponse(chunks(), media_type="application/zip", headers=headers)


async def _answer(request: Request, found: Incident) -> Response:
    kinds = await asyncio.to_thread(_service(request).incidents.pictures, [found.id])
    shown = described_incident(found, kinds.get(found.id, ()))
    return JSONResponse({**shown, "timeline": found.timeline}, headers=_NO_STORE)


async def _monitor(request: Request) -> Monitor:
    wanted = request.path_params["id"]
    found = await asyncio.to_thread(_service(request).monitors.get, wanted)
    if found is None:
        raise ProblemError(404, worded("there is no monitor {id}", id=repr(wanted[:40])))
    return found


async def _incident(request: Request) -> Incident:
    wanted = request.path_params["id"]
    found = await asyncio.to_thread(_service(request).incidents.get, wanted)
    if found is None:
        raise ProblemError(404, worded("there is no incident {id}", id=repr(wanted[:40])))
    return found


def _number(request: Request, name: str, default: float, least: float, most: float) -> float:
    """A number of the query. Raises ``ProblemError`` (400)."""
    text = request.query_params.get(name)
    if text is None:
        return default
    value = math.nan
    with suppress(ValueError):
        value = float(text)
    if not least <= value <= most:
        raise ProblemError(
            400,
            worded(
                "{name} is {value}; it is from {least} to {most}",
                name=name,
                value=repr(text[:40]),
                least=f"{least:g}",
                most=f"{most:g}",
            ),
        )
    return value


def _name_of(url: str) -> str:
    if url == PUSHED:
        return "pushed by WHIP"
    shown = without_secrets(url)
    return shown.partition("://")[2].partition("?")[0].rpartition("@")[2].strip("/")[:120] or shown


routes = [
    Route("/v1/monitors", monitors),
    Route("/v1/monitors", create, methods=["POST"]),
    Route("/v1/monitors/events", events),
    Route("/v1/monitors/{id}", monitor),
    Route("/v1/monitors/{id}", change_monitor, methods=["PATCH"]),
    Route("/v1/monitors/{id}", remove_monitor, methods=["DELETE"]),
    Route("/v1/monitors/{id}/picture.jpg", picture),
    Route("/v1/incidents", incidents),
    Route("/v1/incidents/wrong.zip", export),
    Route("/v1/incidents/{id}", incident),
    Route("/v1/incidents/{id}", mark, methods=["PATCH"]),
    Route("/v1/incidents/{id}", remove_incident, methods=["DELETE"]),
    Route("/v1/incidents/{id}/{name}", kept),
]
