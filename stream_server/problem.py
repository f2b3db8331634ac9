"""Problem documents (RFC 9457): what a refusal says to a program and to a person.

The one place that makes them, for HTTP answers and for the ``error`` of a report alike. It knows no
web framework, so that what refuses need not know one either.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus


def problem_document(status: int, detail: str, **members: object) -> dict[str, object]:
    """The document for an HTTP ``status``; ``members`` are further fields of it."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail, **members}


class ProblemError(ValueError):
    """Something that was asked for and cannot be had; the message says why to a person.

    ``detail`` is that message, worded where it can be told in another language
    (``stream_server.languages``). ``status`` is the HTTP status that says the same, ``headers`` are
    what an HTTP answer carries besides, ``members`` further fields of the document.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.status = status
        self.headers = dict(headers or {})
        self.members = members

    def problem(self) -> dict[str, object]:
        """The problem document."""
        return problem_document(self.status, self.detail, **self.members)
