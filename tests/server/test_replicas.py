"""Two servers behind each proxy: one is asked to stop, and its clients go on at the other."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from stream_server.protocol import Close
from tests.support.client import Visit, play_on
from tests.support.faces import backdrop, paste, person
from tests.support.replicas import CADDY, NGINX, running_replicas
from tests.support.server import TOKEN
from tests.support.whip import Pictures, WhipClient

pytestmark = pytest.mark.server
BEARER = {"Authorization": f"Bearer {TOKEN}"}


async def until(done: Any) -> None:
    async with asyncio.timeout(240):
        while not done():
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param(
            "nginx", marks=pytest.mark.skipif(not NGINX, reason="no nginx here (nginx-light)")
        ),
        pytest.param("caddy", marks=pytest.mark.skipif(not CADDY, reason="no caddy here")),
    ],
)
async def test_a_server_that_stops_hands_its_clients_over(
    proxy: str, models: Any, portrait: bytes, tmp_path: Path
) -> None:
    with running_replicas(tmp_path, proxy, "--models", str(models)) as replicas:
        everyone: list[list[Visit]] = [[], [], []]
        playing = [asyncio.create_task(play_on(replicas, portrait, visits)) for visits in everyone]
        try:
            await until(lambda: all(visits and visits[0].scored for visits in everyone))
            async with httpx.AsyncClient(headers=BEARER, timeout=60) as http:
                counts = [
                    len((await http.get(f"{server.url}/v1/streams")).json())
                    for server in replicas.servers
                ]
                # From one address all come to one server.
                assert sorted(counts) == [0, 3]
                stopping = replicas.servers[counts.index(3)]
                picture = paste(backdrop(), person(), (320, 180), 260)
                async with WhipClient(replicas.url) as source:
                    source.video(Pictures([picture], 10))
                    source.listen()
                    await source.publish()
                    await source.next("verdict")
                    assert (await source.http.delete(source.location)).status_code == 200
                assert await asyncio.to_thread(stopping.stop) == 0
                await until(lambda: all(len(visits) > 1 for visits in everyone))
                await until(lambda: all(visits[-1].scored for visits in everyone))
                assert [visits[0].code for visits in everyone] == [Close.STOPPING] * 3
                # None was sent away twice.
                assert [len(visits) for visits in everyone] == [2, 2, 2]
                other = replicas.other(stopping)
                there = (await http.get(f"{other.url}/v1/streams")).json()
                assert {one["id"] for one in there} == {visits[-1].stream for visits in everyone}
                files = {"file": ("a.jpg", portrait)}
                async with asyncio.timeout(120):
                    # A proxy that has not noticed yet cannot send a body twice.
                    while True:
                        scan = await http.post(f"{replicas.url}/v1/scans", files=files)
                        if scan.status_code != 502:
                            break
                where = f"{replicas.url}{scan.headers['location']}"
                assert (await http.get(where)).status_code == 200
        finally:
            for task in playing:
                task.cancel()
            await asyncio.gather(*playing, return_exceptions=True)
