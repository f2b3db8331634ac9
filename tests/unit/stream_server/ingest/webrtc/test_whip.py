"""What the WHIP endpoint says to requests, before any video flows."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stream_server.protocol import Close
from stream_server.server.auth import Caller
from tests.support.in_process import BEARER

SDP = {**BEARER, "Content-Type": "application/sdp"}
OFFER = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 AB",
        "m=video 9 UDP/TLS/RTP/SAVPF 96",
        "a=sendonly",
        "a=rtpmap:96 VP8/90000",
        "",
    ]
)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"window": "7"}, "8 to 100"),
        ({"window": "²"}, "8 to 100"),
        ({"title": "x" * 4097}, "4097 characters; the limit is 4096"),
        ({"kind": "film"}, "'film'; known: tab, camera, file"),
    ],
)
def test_a_wish_that_cannot_be_met(
    client: Any, services: Any, query: dict[str, Any], says: str
) -> None:
    answer = client.post("/whip", content=OFFER, headers=SDP, params=query)
    assert answer.status_code == 400 and says in answer.json()["detail"]
    assert len(services.streams) == 0


def test_an_offer_that_the_stack_refuses_gives_its_place_back(client: Any, services: Any) -> None:
    answer = client.post("/whip", content=OFFER, headers=SDP)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("the offer cannot be used")
    assert len(services.streams) == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (OFFER, "text/plain", 415),
        (b"v=0\r\ns=\xff", "application/sdp", 400),
        ("v=1", "application/sdp", 400),
        ("v=0\r\na=x:" + "y" * 70_000, "application/sdp", 413),
    ],
)
def test_bodies_that_are_no_offer(client: Any, body: Any, kind: str, status: int) -> None:
    answer = client.post("/whip", content=body, headers={**SDP, "Content-Type": kind})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status


def test_a_stopping_server_opens_nothing(client: Any, services: Any) -> None:
    services.stop()
    answer = client.post("/whip", content=OFFER, headers=SDP)
    assert answer.status_code == 503


def test_what_may_be_posted_is_told(client: Any) -> None:
    assert client.options("/whip", headers=BEARER).headers["accept-post"] == "application/sdp"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v1/streams/none"),
        ("DELETE", "/v1/streams/none"),
        ("GET", "/v1/streams/none/events"),
    ],
)
def test_a_stream_that_is_not_open(client: Any, method: str, path: str) -> None:
    answer = client.request(method, path, headers=BEARER)
    assert answer.status_code == 404 and path in answer.json()["detail"]


async def test_a_stream_is_ended_by_its_holder_and_by_operators(services: Any) -> None:
    """Whichever transport it came by."""
    from starlette.testclient import TestClient

    from stream_server.server.app import create_app

    mine = services.streams.open(lambda message: None, Caller("somebody", "viewer"), None, None)
    client = TestClient(create_app(services), base_url="http://127.0.0.1")
    path = f"/v1/streams/{mine.id}"
    assert client.delete(path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert not mine.ended
    assert client.delete(path, headers=BEARER).status_code == 200
    ending = await mine.run()
    assert (ending.code, ending.reason) == (Close.NORMAL, "ended over HTTP")
    assert json.loads(client.delete(path, headers=BEARER).text)["status"] == 404
