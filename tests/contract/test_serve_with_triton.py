"""``fakelight serve --engine triton`` against the real Triton, which dies in mid-stream."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import httpx2 as httpx
import pytest
from PIL import Image

from tests.support.client import Client, client, frame
from tests.support.faces import backdrop, paste, person
from tests.support.server import TOKEN, Server, running_server
from tests.support.triton_server import Fault, TritonServer

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def portrait() -> bytes:
    out = io.BytesIO()
    Image.fromarray(paste(backdrop(), person(), (320, 180), 260)).save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.fixture
def serving(breakable: TritonServer) -> Iterator[Server]:
    arguments = ("--models", str(breakable.models), "--engine", "triton")
    with running_server(*arguments, "--triton-url", breakable.url) as server:
        yield server


class Player:
    """Plays one picture at ten frames a second and keeps what comes back."""

    def __init__(self, one: Client, picture: bytes) -> None:
        self._one = one
        self._picture = picture
        self.verdicts: list[dict[str, Any]] = []
        self.statuses: list[dict[str, Any]] = []
        self.errors: list[dict[str, Any]] = []

    async def until(self, done: Any) -> None:
        """Play until ``done(self)``; the test's own timeout is the limit."""
        sender = asyncio.create_task(self._send())
        try:
            while not done(self):
                message = await self._one.next("verdict", "status", "error")
                kept = {"verdict": self.verdicts, "status": self.statuses, "error": self.errors}
                kept[message["type"]].append(message)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self) -> None:
        first = self.verdicts[-1]["frame_id"] + 100 if self.verdicts else 0
        number = first
        while True:
            await self._one.send(frame(number, number / 10, self._picture))
            number += 1
            await asyncio.sleep(0.1)


def scored(verdict: dict[str, Any]) -> bool:
    return any(face["probability"] is not None for face in verdict["faces"])


def metrics(server: Server) -> str:
    request = urllib.request.Request(
        server.url + "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text: str = answer.read().decode()
    return text


def readiness(server: Server) -> dict[str, Any]:
    with urllib.request.urlopen(server.url + "/readyz", timeout=60) as answer:
        document: dict[str, Any] = json.load(answer)
    return document


async def test_triton_dies_in_mid_stream_and_comes_back(
    breakable: TritonServer, serving: Server, portrait: bytes
) -> None:
    async with client(serving) as one:
        assert one.welcome["engine"] == "triton"
        player = Player(one, portrait)
        await player.until(lambda p: p.verdicts and scored(p.verdicts[-1]) and p.statuses)
        assert player.statuses[-1]["engine"] == "triton"
        assert player.statuses[-1]["fallback"] is False
        assert "fakelight_engine_fallback 0.0" in await asyncio.to_thread(metrics, serving)
        before = player.verdicts[-1]["faces"][0]

        await asyncio.to_thread(breakable.kill)
        await player.until(lambda p: p.statuses[-1]["fallback"])
        count = len(player.verdicts)
        await player.until(lambda p: len(p.verdicts) > count + 5 and scored(p.verdicts[-1]))
        assert player.statuses[-1]["engine"] == "embedded"
        assert "fakelight_engine_fallback 1.0" in await asyncio.to_thread(metrics, serving)
        assert (await asyncio.to_thread(readiness, serving))["engine"] == "embedded"
        after = player.verdicts[-1]["faces"][0]
        assert after["probability"] == pytest.approx(before["probability"], abs=0.1)

        await asyncio.to_thread(breakable.start)
        await player.until(lambda p: not p.statuses[-1]["fallback"])
        assert player.statuses[-1]["engine"] == "triton"
        count = len(player.verdicts)
        await player.until(lambda p: len(p.verdicts) > count + 5)
        assert player.errors == []


async def test_server_starts_while_triton_is_down(breakable: TritonServer, portrait: bytes) -> None:
    await asyncio.to_thread(breakable.kill)
    arguments = ("--models", str(breakable.models), "--engine", "triton")
    with running_server(*arguments, "--triton-url", breakable.url) as server:
        async with client(server) as one:
            player = Player(one, portrait)
            await player.until(lambda p: p.verdicts and scored(p.verdicts[-1]) and p.statuses)
            assert (
                player.statuses[-1] | {"engine": "embedded", "fallback": True}
                == (player.statuses[-1])
            )


async def test_answers_that_come_late_or_wrong_reach_nobody_and_models_change_with_the_triton(
    breakable: TritonServer,
    fault: Fault,
    serving: Server,
    server: TritonServer,
    portrait: bytes,
) -> None:
    async with client(serving) as one:
        player = Player(one, portrait)
        await player.until(lambda p: p.verdicts and scored(p.verdicts[-1]) and p.statuses)
        kinds: list[dict[str, Any]] = [{"delay_s": 0.6}, {"nan": True}]
        for kind in kinds:
            fault.set(**kind)
            await player.until(lambda p: p.statuses[-1]["fallback"])
            count = len(player.verdicts)
            await player.until(lambda p, n=count: len(p.verdicts) > n + 5)
            fault.clear()
            await player.until(lambda p: not p.statuses[-1]["fallback"])
            count = len(player.verdicts)
            await player.until(lambda p, n=count: len(p.verdicts) > n + 5)
        told = [face["probability"] for one in player.verdicts for face in one["faces"]]
        assert all(probability is None or 0 <= probability <= 1 for probability in told)

        async with httpx.AsyncClient(base_url=serving.url, timeout=120) as http:
            http.headers["Authorization"] = f"Bearer {TOKEN}"
            new = {"path": str(server.models), "triton_url": breakable.url}
            # That one serves the old models.
            refused = await http.post("/v1/models", json=new)
            assert refused.status_code == 422 and "nothing was changed" in refused.text
            swapped = await http.post("/v1/models", json={**new, "triton_url": server.url})
            assert swapped.status_code == 200 and swapped.json()["engine"] == "triton", swapped.text
        members = set(swapped.json()["models"])

        def by_the_new(player: Player) -> bool:
            last = player.verdicts[-1]
            return scored(last) and set(last["faces"][0]["members"]) == members

        await player.until(by_the_new)
        await player.until(lambda p: p.statuses[-1]["engine"] == "triton")
        assert player.errors == []
