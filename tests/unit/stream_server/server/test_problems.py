"""Errors over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.problem import ProblemError
from stream_server.server.app import create_app
from tests.support.in_process import BEARER, EXTENSION


def test_errors_are_problem_documents(client: Any) -> None:
    for method, path, status in (("GET", "/nowhere", 404), ("DELETE", "/v1/info", 405)):
        answer = client.request(method, path, headers=BEARER)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert set(answer.json()) >= {"type", "title", "status", "detail"}


def test_whatever_refuses_becomes_the_answer(
    client: Any, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(origin: Any) -> None:
        raise ProblemError(429, f"no room for {origin}", {"Retry-After": "7"}, room=0)

    monkeypatch.setattr(services.pairings, "start", full)
    answer = client.post("/v1/pairings", headers={"Origin": EXTENSION})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.json() == {
        "type": "about:blank",
        "title": "Too Many Requests",
        "status": 429,
        "detail": f"no room for {EXTENSION}",
        "room": 0,
    }


def test_what_nobody_foresaw_says_where_and_nothing_else(
    services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(origin: Any) -> None:
        raise RuntimeError("a secret of the inside")

    monkeypatch.setattr(services.pairings, "start", broken)
    app = create_app(services)
    with TestClient(app, base_url="http://127.0.0.1", raise_server_exceptions=False) as client:
        answer = client.post("/v1/pairings")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "/v1/pairings" in answer.json()["detail"] and "secret" not in answer.text


def test_a_person_is_told_in_the_language_that_the_request_asks_for(client: Any) -> None:
    told = [
        client.get("/nowhere", headers=BEARER | {"Accept-Language": language}).json()["detail"]
        for language in ("", "fr", "de-CH", "es;q=0.5, de;q=0.1")
    ]
    english = "there is nothing at /nowhere"
    german, spanish = "unter /nowhere gibt es nichts", "no hay nada en /nowhere"
    assert told == [english, english, german, spanish]
