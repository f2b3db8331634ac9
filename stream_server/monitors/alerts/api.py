"""The HTTP side of alerts: ``/v1/webhooks``."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, TypeVar

from pydantic import Field, StringConstraints
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stream_server.forms import Form, parsed
from stream_server.languages import worded
from stream_server.monitors.alerts import signature
from stream_server.monitors.alerts.message import EventType
from stream_server.monitors.alerts.outbox import DELIVERY_STATES, DeliveryState
from stream_server.monitors.alerts.service import Alerts
from stream_server.monitors.alerts.webhooks import Kind, check_url, kind_of, new_id, shown_url
from stream_server.monitors.store.webhook_tables import Delivery, Webhook
from stream_server.problem import ProblemError

_DAY = 24 * 3600.0
_Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=120)]


class _New(Form):
    url: str
    secret: str | None = None
    kind: Kind | None = None
    name: _Name = ""
    events: list[EventType] = Field([], max_length=16)


class _Change(Form):
    url: str | None = None
    name: _Name | None = None
    events: list[EventType] | None = Field(None, max_length=16)
    enabled: bool | None = None


class _Rotation(Form):
    secret: str | None = None
    keep_s: float = Field(_DAY, ge=0, le=30 * _DAY)


class _Replay(Form):
    webhook: str | None = None


_Form = TypeVar("_Form", bound=Form)


async def create(request: Request) -> Response:
    """Set up a webhook. Its secret is in this answer and in no other."""
    alerts, new = _alerts(request), await parsed(request, _New)
    kind = kind_of(new.url, new.kind)
    await check_url(new.url, alerts.allowed)
    if kind == "email" and not alerts.mail.usable:
        raise ProblemError(
            409, worded("no e-mail can be sent: FAKELIGHT_SMTP_HOST names no mail server")
        )
    secret = _secret(new.secret)
    webhook = Webhook(
        id=new_id(), name=new.name, kind=kind, url=new.url, events=new.events, secret=secret
    )
    await asyncio.to_thread(alerts.webhooks.add, webhook)
    shown = _described(webhook, (0, 0))
    if kind != "email":
        shown["secret"] = secret
    return JSONResponse(shown, 201, {"Location": f"/v1/webhooks/{webhook.id}"})


async def listing(request: Request) -> Response:
    """All of them, the oldest first."""
    alerts = _alerts(request)
    webhooks = await asyncio.to_thread(alerts.webhooks.all)
    counts = await asyncio.to_thread(alerts.outbox.waiting)
    return JSONResponse([_described(one, counts.get(one.id, (0, 0))) for one in webhooks])


async def show(request: Request) -> Response:
    """One of them."""
    return await _answer(request, await _found(request))


async def change(request: Request) -> Response:
    """Change its URL, name or events, or switch it off or on."""
    alerts, asked = _alerts(request), await parsed(request, _Change)
    webhook = await _found(request)
    values = asked.model_dump(exclude_none=True)
    if asked.url is not None:
        kind_of(asked.url, webhook.kind)
        await check_url(asked.url, alerts.allowed)
    if asked.enabled is not None:
        values["reason"] = ""
    changed = await asyncio.to_thread(alerts.webhooks.change, webhook.id, **values)
    return await _answer(request, changed or _missing(request))


async def remove(request: Request) -> Response:
    """Forget it, and what was to be delivered to it."""
    if not await asyncio.to_thread(_alerts(request).webhooks.remove, request.path_params["id"]):
        _missing(request)
    return Response(status_code=204)


async def rotate(request: Request) -> Response:
    """Change the secret; for ``keep_s`` seconds the old one signs too."""
    alerts, asked = _alerts(request), await _parsed(request, _Rotation)
    webhook = await _found(request)
    if webhook.kind == "email":
        raise ProblemError(409, worded("e-mail is not signed with a secret"))
    secret = _secret(asked.secret)
    changed = await asyncio.to_thread(alerts.webhooks.rotate, webhook.id, secret, asked.keep_s)
    return await _answer(request, changed or _missing(request), secret=secret)


async def test(request: Request) -> Response:
    """Send a ``webhook.test`` at once, once, and say what became of it."""
    outcome = await _alerts(request).test(await _found(request))
    fields = {"delivered": outcome.delivered, "status": outcome.status, "error": outcome.error}
    return JSONResponse(fields)


async def deliveries(request: Request) -> Response:
    """What was delivered, what waits and what was given up, the newest first."""
    query = request.query_params
    state = _state(query.get("state"))
    limit = query.get("limit", "500")
    if not (limit.isascii() and limit.isdecimal() and 0 < int(limit[:9]) <= 1000):
        raise ProblemError(
            400, worded("limit is {value}; it is from 1 up to 1000", value=repr(limit[:40]))
        )
    outbox = _alerts(request).outbox
    found = await asyncio.to_thread(outbox.find, state, query.get("webhook"), int(limit))
    return JSONResponse([_delivery(one) for one in found])


async def delivery(request: Request) -> Response:
    """One delivery, with its payload."""
    found = await _found_delivery(request)
    return JSONResponse({**_delivery(found), "payload": found.payload})


async def replay(request: Request) -> Response:
    """Deliver a dead one anew."""
    found = await _found_delivery(request)
    count = await asyncio.to_thread(_alerts(request).outbox.replay, time.time(), found.id)
    if not count:
        raise ProblemError(
            409,
            worded(
                "delivery {id} is {state}; only a dead one is replayed",
                id=found.id,
                state=found.state,
            ),
        )
    return JSONResponse({"replayed": count}, 202)


async def replay_all(request: Request) -> Response:
    """Deliver all dead ones anew, or those of one webhook."""
    asked = await _parsed(request, _Replay)
    outbox = _alerts(request).outbox
    count = await asyncio.to_thread(outbox.replay, time.time(), None, asked.webhook)
    return JSONResponse({"replayed": count}, 202)


def _alerts(request: Request) -> Alerts:
    alerts: Alerts = request.app.state.alerts
    return alerts


async def _parsed(request: Request, form: type[_Form]) -> _Form:
    """The request's body, which may be left out where every field may."""
    return await parsed(request, form) if await request.body() else form()


def _state(text: str | None) -> DeliveryState | None:
    for state in DELIVERY_STATES:
        if text == state:
            return state
    if text is None:
        return None
    raise ProblemError(400, f"state is {text[:40]!r}; there are {', '.join(DELIVERY_STATES)}")


def _secret(given: str | None) -> str:
    if given is None:
        return signature.new_secret()
    try:
        signature.key_of(given)
    except ValueError as error:
        raise ProblemError(400, str(error)) from None
    return given


async def _found(request: Request) -> Webhook:
    webhook = await asyncio.to_thread(_alerts(request).webhooks.get, request.path_params["id"])
    return webhook or _missing(request)


def _missing(request: Request) -> Any:
    raise ProblemError(
        404, worded("there is no webhook {id}", id=repr(request.path_params["id"][:40]))
    )


async def _found_delivery(request: Request) -> Delivery:
    number = request.path_params["number"]
    found = None
    if number.isascii() and number.isdecimal() and len(number) < 10:
        found = await asyncio.to_thread(_alerts(request).outbox.get, int(number))
    if found is None:
        raise ProblemError(404, worded("there is no delivery {id}", id=repr(number[:40])))
    return found


async def _answer(request: Request, webhook: Webhook, **more: str) -> Response:
    counts = await asyncio.to_thread(_alerts(request).outbox.waiting)
    return JSONResponse({**_described(webhook, counts.get(webhook.id, (0, 0))), **more})


def _described(webhook: Webhook, counts: tuple[int, int]) -> dict[str, Any]:
    until = webhook.old_secret_until
    return {
        "id": webhook.id,
        "name": webhook.name,
        "kind": webhook.kind,
        "url": shown_url(webhook),
        "events": webhook.events,
        "enabled": webhook.enabled,
        "reason": webhook.reason,
        "created": webhook.created,
        "delivered_at": webhook.delivered_at,
        "failing_since": webhook.failing_since,
        "last_error": webhook.last_error,
        "old_secret_until": until if until and until > time.time() else None,
        "pending": counts[0],
        "dead": counts[1],
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "webhook": delivery.webhook,
        "message": delivery.message,
        "type": delivery.type,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "next_at": delivery.next_at if delivery.state == "pending" else None,
        "created": delivery.created,
        "finished": delivery.finished,
        "last_status": delivery.last_status,
        "last_error": delivery.last_error,
    }


routes = [
    Route("/v1/webhooks", listing),
    Route("/v1/webhooks", create, methods=["POST"]),
    Route("/v1/webhooks/deliveries", deliveries),
    Route("/v1/webhooks/deliveries/replay", replay_all, methods=["POST"]),
    Route("/v1/webhooks/deliveries/{number}", delivery),
    Route("/v1/webhooks/deliveries/{number}/replay", replay, methods=["POST"]),
    Route("/v1/webhooks/{id}", show),
    Route("/v1/webhooks/{id}", change, methods=["PATCH"]),
    Route("/v1/webhooks/{id}", remove, methods=["DELETE"]),
    Route("/v1/webhooks/{id}/rotate", rotate, methods=["POST"]),
    Route("/v1/webhooks/{id}/test", test, methods=["POST"]),
]
