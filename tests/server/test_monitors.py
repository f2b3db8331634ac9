"""Monitors of a real server: a file that is played over and over, read by a process of its own.

The made-up models take an untouched face for a fake and a greenish one for real, so the colour of
the picture says what the truth is at each moment, whenever it was taken.
"""

from __future__ import annotations

import io
import json
import random
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow

from tests.support.event_stream import EventStream
from tests.support.postgres import Postgres, needs_postgres, running_postgres
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]
REAL, FAKE = 12.0, 12.0  # seconds: the clip is real, fake, real
CLOSE = 3.0  # seconds from the truth
KILLS = 10


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = {"threshold_fake": "0.76", "threshold_real": "0.7"}
    folder = tmp_path_factory.mktemp("models") / "triton_models"
    return tiny_repository(folder, parameters=lines)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A face whose picture is greenish but for the middle."""
    face = moving_face()

    def picture(at: float) -> Any:
        fake = REAL <= at < REAL + FAKE
        return face(at) if fake else (face(at) * np.array([0.6, 1, 0.6])).astype(np.uint8)

    path = tmp_path_factory.mktemp("clips") / "loop.mp4"
    # A reader on a busy machine goes on with the next key frame.
    options = {"preset": "ultrafast", "crf": "20", "g": "15"}
    return write_video(path, picture, every(15, 2 * REAL + FAKE), rate=15, options=options)


class Desk:
    """A server and what a person does at it."""

    def __init__(self, folder: Path, models: Path, clip: Path, **settings: str) -> None:
        self._folder, self._models = folder, models
        self._settings = {"FAKELIGHT_MONITOR_FILES": str(clip.parent), **settings}
        self.source = f"file://{clip}"
        self.server: Server = self.start()

    def start(self) -> Server:
        self.server = start_server(
            self._folder, "--models", str(self._models), environment=self._settings
        )
        return self.server

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.server.url + path, data, method=method)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def is_fake_now(self, monitor: str) -> tuple[float, bool] | None:
        """When the newest picture was taken, and the truth about it."""
        path = f"/v1/monitors/{monitor}/picture.jpg?width=64"
        request = urllib.request.Request(self.server.url + path)
        request.add_header("Authorization", f"Bearer {TOKEN}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                at = float(answer.headers["X-Captured-At"])
                red, green, _ = np.asarray(Pillow.open(io.BytesIO(answer.read()))).mean((0, 1))
        except urllib.error.HTTPError:
            return None
        return at, bool(red > 0.8 * green)


@pytest.fixture
def desk(tmp_path: Path, models: Path, clip: Path) -> Iterator[Desk]:
    found = Desk(tmp_path, models, clip)
    yield found
    found.server.stop()


def test_an_incident_opens_and_closes_where_the_truth_is(desk: Any) -> None:
    events = EventStream(desk.server, "/v1/monitors/events")
    monitor = desk.ask(
        "POST",
        "/v1/monitors",
        {"url": desk.source, "name": "loop", "sample_hz": 5, "evidence": True},
    )
    truth: list[tuple[float, bool]] = []
    closed: list[Any] = []
    while not closed:
        seen = desk.is_fake_now(monitor["id"])
        if seen is not None and (not truth or seen[0] > truth[-1][0]):
            truth.append(seen)
        time.sleep(0.1)
        # A stretch that was under way when the monitor began says nothing of its beginning.
        closed = [
            one for one in events.of("incident.closed") if one["opened_at"] > truth_began(truth)
        ]
    (incident, *_) = closed
    began, ended = stretch_around(truth, incident["opened_at"])
    assert abs(incident["opened_at"] - began) < CLOSE
    assert abs(incident["closed_at"] - ended) < CLOSE
    lasted = incident["media_end_s"] - incident["media_start_s"]
    assert abs(lasted - FAKE) < CLOSE
    assert incident["verdict"] == "likely_fake" and incident["members"]
    assert 0.76 <= incident["mean"] <= incident["peak"] <= 1
    opened = [one for one in events.of("incident.opened") if one["id"] == incident["id"]]
    assert len(opened) == 1 and opened[0]["closed_at"] is None
    read = desk.ask("GET", f"/v1/incidents/{incident['id']}")
    timeline = read.pop("timeline")
    assert len(timeline) >= FAKE / 2 and max(p for _, p in timeline) == read["peak"]
    assert {**read, "evidence": []} == {**incident, "evidence": []}
    assert set(read["evidence"]) >= {"clip", "still"}
    shown = desk.ask("GET", f"/v1/monitors/{monitor['id']}")
    assert shown["state"] == "watching" and shown["lag_s"] is not None and shown["timeline"]


def truth_began(truth: Any) -> float:
    """When the first stretch that was seen from its beginning began."""
    return next((at for at, fake in truth if not fake), float("inf"))


def stretch_around(truth: Any, moment: float) -> tuple[float, float]:
    """The beginning and the end of the fake stretch next to ``moment``."""
    changes = [
        ((before[0] + after[0]) / 2, after[1])
        for before, after in pairwise(truth)
        if before[1] != after[1]
    ]
    began = min((at for at, fake in changes if fake), key=lambda at: abs(at - moment))
    return began, next(at for at, _ in changes if at > began)


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


def assert_none_doubled(incidents: Any) -> None:
    """There is one face: no two of its incidents are at the same time, and one at most is open."""
    ordered = sorted(incidents, key=lambda one: one["opened_at"])
    for earlier, later in pairwise(ordered):
        assert earlier["closed_at"] is not None
        assert earlier["closed_at"] <= later["opened_at"]


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
