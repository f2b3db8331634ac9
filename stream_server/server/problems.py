"""Errors over HTTP: problem documents as answers."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stream_server.languages import tell, worded
from stream_server.problem import ProblemError, problem_document

_log = logging.getLogger(__name__)


class ProblemResponse(JSONResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem(
    status: int, detail: str, headers: dict[str, str] | None = None, **members: object
) -> ProblemResponse:
    """An answer whose ``detail`` a person can read; ``members`` are further fields of it."""
    return ProblemResponse(problem_document(status, tell(detail), **members), status, headers)


def answer_to(error: ProblemError) -> ProblemResponse:
    """The answer that says what ``error`` says."""
    return problem(error.status, error.detail, error.headers, **error.members)


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, ProblemError)
    return answer_to(error)


async def _http_error(request: Request, error: Exception) -> Response:
    """Starlette's own errors: 404, 405 and the like."""
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        detail: str = worded("there is nothing at {path}", path=request.url.path)
    elif error.status_code == 405:
        detail = f"{request.method} is not possible at {request.url.path}"
    else:
        detail = error.detail
    return problem(error.status_code, detail, dict(error.headers or {}))


async def _database_error(request: Request, error: Exception) -> Response:
    """Of a database that is away, full or locked; what it says may hold what was to be written."""
    _log.error("%s: the database fails (%s)", request.url.path, type(error).__name__)
    return problem(
        503, worded("the database does not answer; see the server's log"), {"Retry-After": "5"}
    )


async def _other_version(request: Request, error: Exception) -> Response:
    """Of a database that a later version of the server has gone on with."""
    _log.error("%s: the database is of another version: %s", request.url.path, error)
    return problem(503, worded("the database is of another version of this server; see its log"))


async def _server_error(request: Request, error: Exception) -> Response:
    """What nobody foresaw; the log has it."""
    del error
    return problem(
        500, worded("an internal error while answering {path}; see the log", path=request.url.path)
    )


#: What the application does about each kind of error, wherever in it one is raised.
HANDLERS: dict[type[Exception], Callable[[Request, Exception], Awaitable[Response]]] = {
    ProblemError: _refused,
    HTTPException: _http_error,
    SQLAlchemyError: _database_error,
    CommandError: _other_version,
    Exception: _server_error,
}
