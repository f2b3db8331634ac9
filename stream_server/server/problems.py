"""Errors over HTTP: problem documents (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, **more: object
) -> ProblemResponse:
    """A problem document whose ``detail`` a person can read; ``more`` are extension members."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
    return ProblemResponse(body, status, headers)


async def http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors (404, 405 and the like) as problem documents."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        detail = f"there is nothing at {request.url.path}"
    elif error.status_code == 405:
        detail = f"{request.method} is not possible at {request.url.path}"
    else:
        detail = error.detail
    return problem(error.status_code, detail, dict(error.headers or {}))


async def server_error(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the log has it."""
    del error
    return problem(500, f"an internal error while answering {request.url.path}; see the log")
