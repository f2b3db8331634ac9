"""Whoever holds a token is one person, over every transport and however the token comes."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2 as httpx
import pytest
from websockets.asyncio.client import connect

from tests.support.faces import backdrop
from tests.support.server import TOKEN, running_server
from tests.support.whip import AUTH, SDP, Pictures, WhipClient

LIMIT = 16  # the least that a server may be set to
SETTINGS = {
    "FAKELIGHT_MAX_STREAMS": str(LIMIT),
    "FAKELIGHT_WEBRTC_ADDRESSES": "127.0.0.1",
    "FAKELIGHT_WEBRTC_CONNECT_SECONDS": "120",  # none does
    "FAKELIGHT_TOKENS": json.dumps({"desk": {"role": "viewer", "token": "a-viewer-token-1"}}),
}


@pytest.fixture(scope="module")
def server(models: Any) -> Iterator[Any]:
    with running_server("--models", str(models), environment=SETTINGS) as server:
        yield server


@pytest.fixture
async def offer(server: Any) -> AsyncIterator[Any]:
    async with WhipClient(server.url) as client:
        client.video(Pictures([backdrop()]))
        yield await client.make_offer()


@pytest.fixture
async def page(server: Any) -> AsyncIterator[Any]:
    """The server's own page after the printed link: a cookie and no token."""
    async with httpx.AsyncClient(base_url=server.url, timeout=60) as page:
        answer = await page.post("/v1/session", json={"token": TOKEN})
        assert answer.status_code == 204
        yield page


async def by_websocket(
    server: Any, token: str = "", cookie: str = ""
) -> tuple[dict[str, Any], int | None]:
    """The welcome of a stream that stays open, or the code that it was closed with."""
    headers = {"Cookie": cookie} if cookie else {}
    socket = await connect(server.socket_url, additional_headers=headers, open_timeout=60)
    await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": token}))
    with contextlib.suppress(Exception):
        return {**json.loads(await socket.recv()), "socket": socket}, None
    return {}, socket.close_code


def cookie_of(page: httpx.AsyncClient) -> str:
    return "; ".join(f"{name}={value}" for name, value in page.cookies.items())


async def test_a_page_has_one_quota_over_the_websocket_and_whip(
    server: Any, offer: Any, page: Any
) -> None:
    cookie, sdp = cookie_of(page), {"Content-Type": SDP}
    opened = [(await by_websocket(server, cookie=cookie))[0] for _ in range(LIMIT // 2)]
    assert all(welcome["type"] == "welcome" for welcome in opened)
    published = [await page.post("/whip", content=offer, headers=sdp) for _ in range(LIMIT // 2)]
    assert [answer.status_code for answer in published] == [201] * (LIMIT // 2)
    assert len((await page.get("/v1/streams")).json()) == LIMIT

    async with httpx.AsyncClient(base_url=server.url, timeout=60) as other:
        one_more = [
            (await by_websocket(server, cookie=cookie))[1],
            (await by_websocket(server, token=TOKEN))[1],
            (await page.post("/whip", content=offer, headers=sdp)).status_code,
            (await other.post("/whip", content=offer, headers={**sdp, **AUTH})).status_code,
        ]
        assert one_more == [4008, 4008, 429, 429]
        desk = {**sdp, "Authorization": "Bearer a-viewer-token-1"}
        theirs = await other.post("/whip", content=offer, headers=desk)
        assert theirs.status_code == 201
        ended = await other.delete(theirs.headers["location"], headers=AUTH)
        assert ended.status_code == 200

    # What the page opened by one transport it ends over HTTP, and its place is free for the other.
    assert (await page.delete(f"/v1/streams/{opened[0]['stream']}")).status_code == 200
    await asyncio.wait_for(opened[0]["socket"].wait_closed(), 60)
    again = await page.post("/whip", content=offer, headers=sdp)
    assert again.status_code == 201
    for answer in (*published, again):
        await page.delete(answer.headers["location"])
    for welcome in opened:
        await welcome["socket"].close()


async def test_a_wrong_token_is_not_made_good_by_the_cookie(server: Any, page: Any) -> None:
    assert await by_websocket(server, token="wrong", cookie=cookie_of(page)) == ({}, 4003)
