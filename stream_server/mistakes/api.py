"""The HTTP side of the list of mistakes: ``/v1/mistakes``."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from stream_server.forms import parsed
from stream_server.mistakes.form import NewMistake, still_of
from stream_server.mistakes.labelled import described_mistake, set_of_mistakes
from stream_server.mistakes.store import MistakeList
from stream_server.mistakes.tables import Mistake
from stream_server.problem import ProblemError
from stream_server.server.auth import caller_of

_MOST = 1000  # of one answer
_NO_STORE = {"Cache-Control": "no-store"}


def _list(request: Request) -> MistakeList:
    mistakes: MistakeList = request.app.state.mistakes
    return mistakes


async def add(request: Request) -> Response:
    """Put one on the list."""
    form = await parsed(request, NewMistake)
    still = await asyncio.to_thread(still_of, form)
    mistake = Mistake(
        id=secrets.token_urlsafe(9),
        holder=caller_of(request).holder,
        still_type="" if still is None else still[0],
        still=None if still is None else still[1],
        **form.model_dump(exclude={"still"}),
    )
    limit = request.app.state.services.settings.max_mistakes
    await asyncio.to_thread(_list(request).add, mistake, limit)
    location = {"Location": f"/v1/mistakes/{mistake.id}"}
    return JSONResponse(described_mistake(mistake), 201, location)


async def mistakes(request: Request) -> Response:
    """The list, the newest first."""
    query = request.query_params
    limit = 0
    with suppress(ValueError):
        limit = int(query.get("limit", str(_MOST)))
    if not 1 <= limit <= _MOST:
        raise ProblemError(400, f"limit is {query['limit'][:40]!r}; it is from 1 to {_MOST}")
    found = await asyncio.to_thread(_list(request).find, query.get("before_id", ""), limit)
    return JSONResponse([described_mistake(one) for one in found], headers=_NO_STORE)


async def mistake(request: Request) -> Response:
    """One of them."""
    wanted = request.path_params["id"]
    found = await asyncio.to_thread(_list(request).get, wanted)
    if found is None:
        raise _unknown(wanted)
    return JSONResponse(described_mistake(found), headers=_NO_STORE)


async def still(request: Request) -> Response:
    """Its still."""
    wanted = request.path_params["id"]
    found = await asyncio.to_thread(_list(request).still, wanted)
    if found is None:
        raise ProblemError(404, f"no still came with a mistake {wanted[:40]!r}")
    return Response(found[1], media_type=found[0], headers={"Cache-Control": "private"})


async def remove(request: Request) -> Response:
    """Forget it, and its still; a viewer's own only."""
    wanted, caller = request.path_params["id"], caller_of(request)
    holder = caller.holder if caller.role == "viewer" else None
    if not await asyncio.to_thread(_list(request).remove, wanted, holder):
        raise _unknown(wanted)
    return Response(status_code=204)


async def export(request: Request) -> Response:
    """All of them as a set that ``training`` reads."""
    file = await asyncio.to_thread(set_of_mistakes, _list(request))
    headers = {"Content-Disposition": 'attachment; filename="fakelight-mistakes.zip"', **_NO_STORE}

    async def chunks() -> AsyncIterator[bytes]:
        with file:
            while chunk := await asyncio.to_thread(file.read, 1 << 18):
                yield chunk

    return StreamingResponse(chunks(), media_type="application/zip", headers=headers)


def _unknown(wanted: str) -> ProblemError:
    return ProblemError(404, f"there is no mistake {wanted[:40]!r}")


routes = [
    Route("/v1/mistakes", mistakes),
    Route("/v1/mistakes", add, methods=["POST"]),
    Route("/v1/mistakes/labelled.zip", export),
    Route("/v1/mistakes/{id}", mistake),
    Route("/v1/mistakes/{id}", remove, methods=["DELETE"]),
    Route("/v1/mistakes/{id}/still", still),
]
