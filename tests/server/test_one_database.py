"""Two servers behind nginx over one PostgreSQL: a browser and a scan are the same at both."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosed

from stream_server.protocol import Close
from tests.support.browser_pairing import ORIGIN, hello, pair
from tests.support.client import client
from tests.support.postgres import Postgres, needs_postgres, running_postgres
from tests.support.replicas import NGINX, running_replicas
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN

pytestmark = [
    pytest.mark.server,
    needs_postgres,
    pytest.mark.skipif(not NGINX, reason="no nginx here (nginx-light)"),
]
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
FORMER = "f" * 43


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.fixture
def long_clip(tmp_path: Path) -> bytes:
    return write_video(tmp_path / "long.mp4", moving_face(), every(10, 120), rate=10).read_bytes()


async def refused(replicas: Any, browser: dict[str, str]) -> None:
    """Neither server lets it in, over HTTP or over a socket."""
    async with httpx.AsyncClient(timeout=60) as http:
        for server in replicas.servers:
            answer = await http.get(f"{server.url}/v1/info", headers=browser)
            assert answer.status_code == 401
            with pytest.raises(ConnectionClosed) as caught:
                async with client(server, origin=ORIGIN, hello=hello(browser)) as one:
                    await one.next("welcome")
            assert caught.value.rcvd and caught.value.rcvd.code == Close.NOT_AUTHORISED


async def test_browsers_and_scans_are_the_same_at_every_server(
    models: Any, portrait: bytes, long_clip: bytes, postgres: Postgres, tmp_path: Path
) -> None:
    # What a server of before has kept in its own folder.
    state = tmp_path / "two" / "state"
    state.mkdir(parents=True)
    kept = {hashlib.sha256(FORMER.encode()).hexdigest(): ORIGIN}
    (state / "paired.json").write_text(json.dumps(kept))
    with running_replicas(
        tmp_path, "nginx", "--models", str(models), FAKELIGHT_DATABASE=postgres.database()
    ) as replicas:
        one, two = replicas.servers
        async with httpx.AsyncClient(timeout=60) as http:
            former = {"Authorization": f"Bearer {FORMER}", "Origin": ORIGIN}
            browser = await pair(http, one, two.url)
            behind = await pair(http, two, replicas.url)
            for known in (browser, behind, former):
                for url in (one.url, two.url, replicas.url):
                    answer = await http.get(f"{url}/v1/info", headers=known)
                    assert answer.status_code == 200
            ticket = await http.post(f"{one.url}/v1/session/tickets", headers=browser)
            session = await http.post(
                f"{two.url}/v1/session", json={"ticket": ticket.json()["ticket"]}
            )
            assert session.status_code == 204
            http.cookies.clear()

            streams = []
            for server in (*replicas.servers, replicas):
                streams.append(client(server, origin=ORIGIN, hello=hello(browser)))
            opened = [await one_stream.__aenter__() for one_stream in streams]
            async with client(two, origin=ORIGIN, hello=hello(behind)) as other:
                for stream in (*opened, other):
                    await stream.next("welcome")
                    assert (await stream.verdict_for(0, 0.0, portrait))["type"] == "verdict"
                listed = (await http.get(f"{two.url}/v1/pairings", headers=OPERATOR)).json()
                assert len(listed) == 3 and {one["origin"] for one in listed} == {ORIGIN}
                token = hello(browser)["token"]
                lost = hashlib.sha256(token.encode()).hexdigest()[:12]
                where = f"{replicas.url}/v1/pairings/{lost}"
                assert (await http.delete(where, headers=OPERATOR)).status_code == 204
                for stream in opened:
                    with pytest.raises(ConnectionClosed) as caught:
                        async with asyncio.timeout(60):
                            while True:
                                await stream.socket.recv()
                    assert caught.value.rcvd and caught.value.rcvd.code == Close.NOT_AUTHORISED
                await refused(replicas, browser)
                assert (await other.verdict_for(1, 0.1, portrait))["type"] == "verdict"
            files = {"file": ("a.jpg", portrait)}
            taken = await http.post(f"{one.url}/v1/scans", headers=OPERATOR, files=files)
            at = f"{two.url}{taken.headers['location']}"
            async with asyncio.timeout(120):
                async with http.stream("GET", f"{at}/events", headers=OPERATOR) as told:
                    kinds = [line async for line in told.aiter_lines() if line[:6] == "event:"]
            assert kinds[-1] == "event: done"
            done = (await http.get(at, headers=OPERATOR)).json()
            assert done["status"] == "done" and done["report"]["faces"], done
            page = await http.get(f"{at}/report.html", headers=OPERATOR)
            assert page.status_code == 200 and "a.jpg" in page.text
            assert (await http.delete(at, headers=OPERATOR)).status_code == 204
            gone = await http.get(f"{one.url}{taken.headers['location']}", headers=OPERATOR)
            assert gone.status_code == 404
            # A file of two minutes, which the other server gives up.
            files = {"file": ("long.mp4", long_clip)}
            taken = await http.post(f"{one.url}/v1/scans", headers=OPERATOR, files=files)
            at = f"{two.url}{taken.headers['location']}"
            async with asyncio.timeout(120):
                while (await http.get(at, headers=OPERATOR)).json()["status"] != "running":
                    await asyncio.sleep(0.1)
                assert (await http.delete(at, headers=OPERATOR)).status_code == 204
                uploads = tmp_path / "one" / "state" / "uploads"
                while list(uploads.iterdir()):
                    await asyncio.sleep(0.1)
            # The browser's own way out, at the server that did not pair it.
            gone = await http.delete(f"{one.url}/v1/pairings", headers=behind)
            assert gone.status_code == 204
            async with asyncio.timeout(60):  # the other server hears of it
                while (await http.get(f"{two.url}/v1/info", headers=behind)).status_code != 401:
                    await asyncio.sleep(0.1)
            await refused(replicas, behind)
            assert not (state / "paired.json").exists()
            for server in replicas.servers:
                answer = await http.get(f"{server.url}/v1/info", headers=former)
                assert answer.status_code == 200
