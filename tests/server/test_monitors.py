"""Monitors of a real server: a file that is played over and over, read by a process of its own.

The made-up models take an untouched face for a fake and a greenish one for real, so the colour of
the picture says what the truth is at each moment, whenever it was taken.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.event_stream import EventStream
from tests.support.faces import backdrop, paste, person
from tests.support.monitor_desk import (
    Desk,
    assert_none_doubled,
    greenish_is_real,
    looped_clip,
)
from tests.support.postgres import Postgres, needs_postgres, running_postgres
from tests.support.whip import Pictures, WhipClient

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.patient,
    pytest.mark.timeout(900),
]
REAL, FAKE = 12.0, 12.0  # seconds: the clip is real, fake, real
KILLS = 10


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greenish_is_real(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return looped_clip(tmp_path_factory.mktemp("clips"), REAL, FAKE)


@pytest.fixture
def desk(tmp_path: Path, models: Path, clip: Path) -> Iterator[Desk]:
    found = Desk(tmp_path, models, clip)
    yield found
    found.server.stop()


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=needs_postgres)])
def test_a_server_that_is_killed_loses_nothing_and_doubles_nothing(
    kind: str, tmp_path: Path, models: Path, clip: Path, request: Any
) -> None:
    settings = {}
    if kind == "postgresql":
        settings["FAKELIGHT_DATABASE"] = request.getfixturevalue("postgres").database()
    moments = random.Random(19)
    desk = Desk(tmp_path, models, clip, **settings)
    try:
        new = {"url": desk.source, "sample_hz": 5}
        monitors = [desk.ask("POST", "/v1/monitors", new)["id"] for _ in range(2)]
        acknowledged: dict[str, str] = {}
        told_open: set[str] = set()
        told_closed: dict[str, float] = {}
        for number in range(KILLS if kind == "sqlite" else 3):
            events = EventStream(desk.server, "/v1/monitors/events")
            if number == 0:
                events.wait_for("incident.opened", lambda one: True)
            until = time.monotonic() + moments.uniform(1, 8)
            while time.monotonic() < until:
                for incident in desk.ask("GET", "/v1/incidents?state=new"):
                    note = f"seen in round {number}"
                    seen = {"acknowledged": True, "note": note}
                    desk.ask("PATCH", f"/v1/incidents/{incident['id']}", seen)
                    acknowledged[incident["id"]] = note
                time.sleep(moments.uniform(0, 0.5))
            desk.kill()
            events.close()
            told_open |= {one["id"] for one in events.of("incident.opened")}
            told_closed |= {one["id"]: one["closed_at"] for one in events.of("incident.closed")}
            desk.start()
            assert [one["id"] for one in desk.ask("GET", "/v1/monitors")] == monitors
            found = {one["id"]: one for one in desk.ask("GET", "/v1/incidents")}
            assert told_open | set(acknowledged) <= set(found)
            for one, at in told_closed.items():
                assert found[one]["closed_at"] == at
            for one, note in acknowledged.items():
                assert found[one]["acknowledged"] and found[one]["note"] == note
            for monitor in monitors:
                assert_none_doubled([one for one in found.values() if one["monitor"] == monitor])
    finally:
        desk.server.stop()


def test_one_that_cannot_be_read_does_not_disturb_another(desk: Any) -> None:
    events = EventStream(desk.server, "/v1/monitors/events")
    noise = Path(desk.source.removeprefix("file://")).with_name("noise.mp4")
    noise.write_bytes(random.Random(1).randbytes(100_000))
    bad = desk.ask("POST", "/v1/monitors", {"url": f"file://{noise}"})["id"]
    good = desk.ask("POST", "/v1/monitors", {"url": desk.source, "sample_hz": 5})["id"]
    events.wait_for(
        "monitor", lambda one: one["id"] == bad and one["reason"] not in ("", "opening it")
    )
    events.wait_for("monitor", lambda one: one["id"] == good and one["state"] == "watching")
    assert desk.ask("PATCH", f"/v1/monitors/{good}", {"paused": True})["state"] == "paused"
    events.wait_for("monitor", lambda one: one["id"] == good and one["state"] == "paused")
    desk.ask("DELETE", f"/v1/monitors/{bad}")
    events.wait_for("monitor", lambda one: one == {"id": bad, "removed": True})


async def test_a_pushed_stream_that_goes_and_comes_again_is_one_incident(
    tmp_path: Path, models: Path, clip: Path
) -> None:
    desk = await asyncio.to_thread(
        Desk, tmp_path, models, clip, FAKELIGHT_WEBRTC_ADDRESSES="127.0.0.1"
    )
    # A clean face is a fake to these models.
    walk = [paste(backdrop(), person(), (300 + abs(20 - i), 180), 260) for i in range(40)]

    async def until(fits: Callable[[Any], bool], *what: Any) -> Any:
        async with asyncio.timeout(240):
            while not fits(found := await asyncio.to_thread(desk.ask, *what)):
                await asyncio.sleep(0.2)
            return found

    try:
        monitor = await asyncio.to_thread(desk.ask, "POST", "/v1/monitors", {"url": "whip:"})
        assert monitor["push_to"] == f"/whip?monitor={monitor['id']}"
        at = f"/v1/monitors/{monitor['id']}"
        await until(lambda one: one["reason"] == "nobody pushes to it", "GET", at)
        for _ in range(2):
            async with WhipClient(desk.server.url) as client:
                client.path = monitor["push_to"]
                client.video(Pictures(walk, rate=10))
                await client.publish()
                before = await asyncio.to_thread(desk.ask, "GET", "/v1/incidents")
                ended = before[0]["media_end_s"] + 1 if before else 0.0
                grown = partial(_goes_on, after=ended)
                await until(grown, "GET", "/v1/incidents?state=open")
                async with WhipClient(desk.server.url) as second:
                    second.path = monitor["push_to"]
                    second.video(Pictures(walk))
                    assert (await second.post(await second.make_offer())).status_code == 409
            await until(lambda one: one["state"] == "connecting", "GET", at)
        (incident,) = await asyncio.to_thread(desk.ask, "GET", "/v1/incidents")
        assert incident["closed_at"] is None
        lasted = incident["media_end_s"] - incident["media_start_s"]
        assert lasted > 1
    finally:
        await asyncio.to_thread(desk.server.stop)


def _goes_on(incidents: Any, after: float) -> bool:
    return bool(incidents) and incidents[0]["media_end_s"] > after
