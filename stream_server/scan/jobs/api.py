"""The HTTP side of scans: ``/v1/scans`` and the page ``/scan``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.responses import StreamingResponse as Streaming
from starlette.routing import Route

from stream_server.ingest.files.unusable import UnusableError
from stream_server.languages import worded
from stream_server.problem import ProblemError
from stream_server.report.html import content_policy
from stream_server.scan.jobs.described import described
from stream_server.scan.jobs.queue import ScanQueue
from stream_server.scan.jobs.store import OPEN, Scan
from stream_server.scan.jobs.upload import receive
from stream_server.scan.options import DEFAULT_WINDOW, parse_window
from stream_server.web.page import page

_HEARTBEAT = 10.0
_ELSEWHERE = 1.0  # of what another server does nobody is told: it is looked up
_YES, _NO = ("true", "1", "yes", "on"), ("", "false", "0", "no", "off")


def _queue(request: Request) -> ScanQueue:
    queue: ScanQueue = request.app.state.scans
    return queue


async def scan_page(request: Request) -> Response:
    """The page ``/scan``."""
    del request
    return page("scan.html")


async def create(request: Request) -> Response:
    """Take an upload into the queue."""
    queue = _queue(request)
    scan_id, target = queue.new_path()
    try:
        upload = await receive(request, target, queue.settings.scan_max_bytes)
    except UnusableError as error:
        # What has not been read of a refused upload would be taken for the next request.
        error.headers["Connection"] = "close"
        raise
    except asyncio.CancelledError:
        if not queue.stopping:
            raise
        raise ProblemError(
            503,
            worded("the server is stopping, and had not got all of the file: send it again"),
            {"Connection": "close", "Retry-After": "5"},
        ) from None
    try:
        window, keep = _chosen(upload.fields)
        scan = await queue.submit(scan_id, upload.name, upload.size, window, keep)
    except ProblemError:
        target.unlink(missing_ok=True)
        raise
    except (SQLAlchemyError, CommandError):
        target.unlink(missing_ok=True)
        if not queue.on_disk:
            raise
        detail = worded("the upload cannot be written down; is the disk full?")
        raise ProblemError(507, detail) from None
    return JSONResponse(_described(queue, scan), 202, {"Location": f"/v1/scans/{scan_id}"})


async def history(request: Request) -> Response:
    """All scans, newest first, without their reports."""
    queue = _queue(request)
    scans = await asyncio.to_thread((await queue.store()).all)
    return JSONResponse([_described(queue, scan) for scan in scans])


async def show(request: Request) -> Response:
    """One scan, with its report once there is one."""
    queue = _queue(request)
    scan = await _found(request)
    report = await asyncio.to_thread((await queue.store()).report, scan.id)
    ahead = await _ahead(queue, scan)
    return JSONResponse(_described(queue, scan, json.loads(report) if report else None, ahead))


async def remove(request: Request) -> Response:
    """Cancel an open scan, or forget a finished one and what is kept of it."""
    scan = await _found(request)
    await _queue(request).remove(scan)
    return Response(status_code=204)


async def report_page(request: Request) -> Response:
    """The HTML report."""
    scan = await _found(request)
    html = await asyncio.to_thread((await _queue(request).store()).page, scan.id)
    if html is None:
        raise ProblemError(409, f"there is no report on this scan; it is {scan.status}")
    return HTMLResponse(html, headers={"Content-Security-Policy": content_policy()})


async def report_json(request: Request) -> Response:
    """The JSON report alone, as a file to keep."""
    scan = await _found(request)
    report = await asyncio.to_thread((await _queue(request).store()).report, scan.id)
    if report is None:
        raise ProblemError(409, f"there is no report on this scan; it is {scan.status}")
    return Response(report, media_type="application/json")


async def events(request: Request) -> Response:
    """Progress as Server-Sent Events: ``progress`` while it is open, then one ``done``."""
    scan = await _found(request)
    elsewhere = (await _queue(request).store()).is_elsewhere(scan)
    patience = _ELSEWHERE if elsewhere else _HEARTBEAT
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Streaming(_told(request, patience), media_type="text/event-stream", headers=headers)


async def _told(request: Request, patience: float) -> AsyncIterator[str]:
    queue = _queue(request)
    async for _ in queue.changes(request.path_params["id"], patience):
        scan = await _get(request)
        if scan is None:
            yield "event: done\ndata: null\n\n"
            return
        kind = "progress" if scan.status in OPEN else "done"
        fields = json.dumps(_described(queue, scan, ahead=await _ahead(queue, scan)))
        yield f"event: {kind}\ndata: {fields}\n\n"
        if kind == "done" or queue.stopping:
            return


def _described(queue: ScanQueue, scan: Scan, report: Any = None, ahead: int | None = None) -> Any:
    keep_days = queue.settings.scan_keep_days
    return described(scan, queue.advance(scan.id), keep_days, report, ahead)


async def _ahead(queue: ScanQueue, scan: Scan) -> int | None:
    if scan.status != "queued":
        return None
    return await asyncio.to_thread((await queue.store()).ahead_of, scan)


async def _get(request: Request) -> Scan | None:
    store = await _queue(request).store()
    return await asyncio.to_thread(store.get, request.path_params["id"])


async def _found(request: Request) -> Scan:
    scan = await _get(request)
    if scan is None:
        raise ProblemError(404, f"there is no scan {request.path_params['id'][:40]!r}")
    return scan


def _chosen(fields: dict[str, str]) -> tuple[str, bool]:
    """The form's choices. Raises ``ProblemError`` (400)."""
    window = fields.get("window", "").strip() or DEFAULT_WINDOW
    try:
        parse_window(window)
    except ValueError as error:
        raise ProblemError(400, str(error)) from None
    keep = fields.get("keep", "").strip().lower()
    if keep not in _YES + _NO:
        raise ProblemError(400, f"keep is {keep!r}; it is true or false")
    return window, keep in _YES


routes = [
    Route("/scan", scan_page),
    Route("/v1/scans", history),
    Route("/v1/scans", create, methods=["POST"]),
    Route("/v1/scans/{id}", show),
    Route("/v1/scans/{id}", remove, methods=["DELETE"]),
    Route("/v1/scans/{id}/events", events),
    Route("/v1/scans/{id}/report.html", report_page),
    Route("/v1/scans/{id}/report.json", report_json),
]
