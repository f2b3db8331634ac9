"""The small HTTP answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.readiness import Readiness
from tests.support.in_process import BEARER, EXTENSION, TOKEN


def test_the_printed_link_becomes_a_cookie_that_scripts_cannot_read(client: Any) -> None:
    answer = client.post("/v1/session", json={"token": TOKEN})
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie and TOKEN not in cookie
    assert client.get("/v1/info").status_code == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"token":"wrong"}', 403),
        (b'{"token":5}', 400),
        (b'{"ticket":"made-up"}', 403),
        (b'{"ticket":5}', 400),
        (b"[]", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[" * 8000, 400),
        (b'{"token":' + b"1" * 5000 + b"}", 400),
        (b'{"token":"' + b"x" * 20000 + b'"}', 413),
    ],
)
def test_bad_sessions(client: Any, body: bytes, status: int) -> None:
    answer = client.post("/v1/session", content=body)
    assert answer.status_code == status and "set-cookie" not in answer.headers


@pytest.fixture
def shown(services: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The digits that a person at the server has seen."""
    seen: list[str] = []
    monkeypatch.setattr(services.pairings, "_show", lambda digits, origin: seen.append(digits))
    return seen


def paired(client: Any, shown: Any) -> dict[str, str]:
    """The headers of a browser that was paired just now."""
    origin = {"Origin": EXTENSION}
    number = client.post("/v1/pairings", headers=origin).json()["id"]
    answer = client.post(f"/v1/pairings/{number}", json={"code": shown[-1]}, headers=origin)
    return {"Authorization": f"Bearer {answer.json()['token']}", **origin}


def test_an_operator_sees_who_is_paired_and_unpairs_them(client: Any, shown: Any) -> None:
    browser = paired(client, shown)
    assert client.get("/v1/pairings").status_code == 401
    (listed,) = client.get("/v1/pairings", headers=BEARER).json()
    assert set(listed) == {"id", "origin", "made", "seen"} and listed["origin"] == EXTENSION
    at = f"/v1/pairings/{listed['id']}"
    for method, where in (("GET", "/v1/pairings"), ("DELETE", at)):
        answer = client.request(method, where, headers=browser)
        assert answer.status_code == 403 and "a named one" in answer.json()["detail"]
    assert client.delete(at).status_code == 401
    assert client.delete(at, headers=BEARER).status_code == 204
    assert client.delete(at, headers=BEARER).status_code == 404
    assert client.get("/v1/info", headers=browser).status_code == 401


def test_a_paired_browser_opens_the_servers_page_with_a_ticket(client: Any, shown: Any) -> None:
    origin = {"Origin": EXTENSION}
    bearer = paired(client, shown)
    assert client.post("/v1/session/tickets", headers=origin).status_code == 401
    issued = client.post("/v1/session/tickets", headers=bearer)
    assert issued.status_code == 201 and issued.json()["expires_s"] == 60
    ticket = {"ticket": issued.json()["ticket"]}
    answer = client.post("/v1/session", json=ticket)
    assert answer.status_code == 204 and "HttpOnly" in answer.headers["set-cookie"]
    assert client.get("/v1/info").status_code == 200
    again = client.post("/v1/session", json=ticket)
    assert again.status_code == 403 and "used already" in again.json()["detail"]


def test_the_servers_page_lets_a_browser_in(client: Any, shown: Any) -> None:
    del shown
    origin = {"Origin": EXTENSION}
    number = client.post("/v1/pairings", headers=origin).json()["id"]
    at, wait = f"/v1/pairings/{number}", {"code": None}
    waits = client.post(at, json=wait, headers=origin)
    assert (waits.status_code, waits.json()) == (202, {"page": False})
    assert client.get("/v1/pairings/asked").status_code == 401
    (asked,) = client.get("/v1/pairings/asked", headers=BEARER).json()
    assert set(asked) == {"id", "origin", "made"} and asked["origin"] == EXTENSION
    assert client.post(at, json=wait, headers=origin).json() == {"page": True}
    where, yes = f"/v1/pairings/asked/{asked['id']}", {"allowed": True}
    # Who asks cannot answer: neither without a token nor with one that came from pairing.
    for headers in ({}, origin):
        assert client.patch(where, json=yes, headers=headers).status_code == 401
        assert client.post(where, json=yes, headers=headers).status_code in (404, 405)
    assert client.patch(where, json={"allowed": 1}, headers=BEARER).status_code == 400
    assert client.patch(where, json=yes, headers=BEARER).status_code == 204
    token = client.post(at, json=wait, headers=origin).json()["token"]
    bearer = {"Authorization": f"Bearer {token}", **origin}
    assert client.get("/v1/info", headers=bearer).status_code == 200
    assert client.patch(where, json=yes, headers=BEARER).status_code == 404
    for method, path in (("GET", "/v1/pairings/asked"), ("PATCH", where)):
        assert client.request(method, path, json=yes, headers=bearer).status_code == 403
    assert client.post(at, json={"code": 5}, headers=origin).status_code == 400


def test_pairing_over_http(client: Any, shown: Any) -> None:
    headers = {"Origin": EXTENSION}
    started = client.post("/v1/pairings", headers=headers)
    assert started.status_code == 201 and started.json()["expires_s"] == 120
    number = started.json()["id"]
    wrong = client.post(f"/v1/pairings/{number}", json={"code": "x"}, headers=headers)
    assert (wrong.status_code, wrong.json()["tries_left"]) == (403, 4)
    spaced = f"{shown[0][:3]} {shown[0][3:]}"
    token = client.post(f"/v1/pairings/{number}", json={"code": spaced}, headers=headers).json()[
        "token"
    ]
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/v1/info", headers={**bearer, **headers}).status_code == 200
    assert client.get("/v1/info", headers=bearer).status_code == 401
    assert client.delete("/v1/pairings", headers={**bearer, **headers}).status_code == 204
    assert client.delete("/v1/pairings", headers={**bearer, **headers}).status_code == 404
    assert client.get("/v1/info", headers={**bearer, **headers}).status_code == 401
    assert client.post(f"/v1/pairings/{number}", content=b"", headers=headers).status_code == 400
    gone = client.post(f"/v1/pairings/{number}", json={"code": "x"}, headers=headers)
    assert gone.status_code == 410


def test_info_and_metrics(client: Any) -> None:
    info = client.get("/v1/info", headers=BEARER).json()
    assert info["engine"] == "embedded" and info["models"] == ["tiny"]
    assert "wholly generated" in info["scope"]
    text = client.get("/metrics", headers=BEARER).text
    assert 'fakelight_frames_total{result="received"} 0.0' in text
    assert "fakelight_engine_fallback 0.0" in text


def test_ready_means_a_real_inference(
    client: Any, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("the model file is gone")

    monkeypatch.setattr(services.engine, "probe", broken)
    monkeypatch.setattr(services, "readiness", Readiness(services.engine))
    answer = client.get("/readyz")
    assert answer.status_code == 503 and "the model file is gone" in answer.json()["detail"]
    assert client.get("/healthz").status_code == 200


def test_without_the_database_pairing_and_paired_browsers_hear_so(
    client: Any, services: Any, shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = paired(client, shown)

    async def away(question: Any) -> None:
        raise DatabaseAwayError

    assert client.get("/v1/info", headers=browser).status_code == 200
    monkeypatch.setattr(services.pairings._access, "ask", away)
    stranger = {**browser, "Authorization": f"Bearer {'x' * 43}"}
    for answer in (
        client.post("/v1/pairings", headers={"Origin": EXTENSION}),
        client.post("/v1/pairings/x", json={"code": "123456"}),
        client.post("/v1/session", json={"ticket": "x"}),
        client.get("/v1/info", headers=stranger),
    ):
        assert answer.status_code == 503 and answer.headers["retry-after"] == "5"
        assert "paired browsers does not answer" in answer.json()["detail"]
    for known in (browser, BEARER):
        assert client.get("/v1/info", headers=known).status_code == 200
    with (
        pytest.raises(WebSocketDisconnect) as caught,
        client.websocket_connect(
            "ws://127.0.0.1:8765/v1/stream", subprotocols=["fakelight.v1"]
        ) as socket,
    ):
        socket.send_text(json.dumps({"type": "hello", "protocol": 1, "token": "x" * 43}))
        socket.receive_text()
    assert caught.value.code == 1013 and "try again" in caught.value.reason
