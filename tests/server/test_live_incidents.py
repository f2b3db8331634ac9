"""Incidents of live sources as other programs serve them: HLS, RTMP, RTSP and MPEG-TS over UDP.

All are watched at once by one server. A machine with too much to do is late with some: what counts
is that one is where the truth is. The made-up models take an untouched face for a fake and a
greenish one for real, so the colour of the picture is the truth at each moment.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.event_stream import EventStream
from tests.support.live_media import live_bytes
from tests.support.live_servers import (
    has_rtmp,
    has_rtsp,
    needs_ffmpeg,
    needs_rtmp,
    needs_rtsp,
    played,
    rtmp_server,
    served,
)
from tests.support.monitor_desk import (
    Desk,
    Truth,
    assert_none_doubled,
    greenish_is_real,
    looped_clip,
)
from tests.support.server import free_port
from tests.support.web import Web, answer, away, web_server

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.patient,
    pytest.mark.timeout(900),
    needs_ffmpeg,
]
REAL, FAKE = 9.0, 9.0  # seconds: the clip is real, fake, real
CLOSE = 3.0  # seconds from the truth
AWAY = 20.0
PATIENCE = 400.0
EVIDENCE = "hls"
STATES = ("connecting", "watching", "stalled", "paused", "failed")
KINDS = [
    "hls",
    pytest.param("rtmp", marks=needs_rtmp),
    pytest.param("rtsp", marks=needs_rtsp),
    "udp",
]


class Newsroom:
    """A monitor for each kind of source, and what each was shown, noted in a thread."""

    def __init__(self, desk: Desk, urls: dict[str, str]) -> None:
        self.desk = desk
        self.events = EventStream(desk.server, "/v1/monitors/events")
        self.monitors: dict[str, str] = {}
        for kind, url in urls.items():
            new = {"url": url, "name": kind, "sample_hz": 5, "evidence": kind == EVIDENCE}
            self.monitors[kind] = desk.ask("POST", "/v1/monitors", new)["id"]
        self.truths = {kind: Truth(desk, one) for kind, one in self.monitors.items()}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._note, daemon=True)
        self._thread.start()

    def _note(self) -> None:
        while not self._over.wait(0.15):
            for truth in self.truths.values():
                truth.look()

    def near_the_truth(self, kind: str) -> Any:
        """A closed incident that began and ended close to when the picture did."""
        truth = self.truths[kind]

        def fits(one: Any) -> bool:
            # A stretch that was under way when the monitor began says nothing of its beginning.
            if one["monitor"] != self.monitors[kind] or one["opened_at"] < truth.real_since:
                return False
            if (stretch := truth.stretch_around(one["opened_at"])) is None:
                return False
            lasted = one["media_end_s"] - one["media_start_s"]
            far = (one["opened_at"] - stretch[0], one["closed_at"] - stretch[1], lasted - FAKE)
            return max(map(abs, far)) < CLOSE

        return self.events.wait_for("incident.closed", fits, PATIENCE)

    def close(self) -> None:
        self._over.set()
        self._thread.join(60)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greenish_is_real(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Newsroom]:
    folder = tmp_path_factory.mktemp("newsroom")
    clip = looped_clip(folder / "clips", REAL, FAKE)
    there = {"hls": True, "rtmp": has_rtmp(), "rtsp": has_rtsp(), "udp": True}
    with ExitStack() as stack:
        urls = {}
        for kind in (kind for kind, is_there in there.items() if is_there):
            (folder / kind).mkdir()
            urls[kind] = served(kind, clip, folder / kind, stack)
        desk = Desk(folder, models, clip, FAKELIGHT_MONITOR_HOSTS="127.0.0.1")
        stack.callback(desk.server.stop)
        room = Newsroom(desk, urls)
        stack.callback(room.close)
        yield room


@pytest.mark.parametrize("kind", KINDS)
def test_an_incident_opens_and_closes_where_the_truth_is(kind: str, newsroom: Newsroom) -> None:
    incident = newsroom.near_the_truth(kind)
    assert incident["verdict"] == "likely_fake" and incident["members"]
    assert 0.76 <= incident["mean"] <= incident["peak"] <= 1
    opened = [one for one in newsroom.events.of("incident.opened") if one["id"] == incident["id"]]
    assert len(opened) == 1 and opened[0]["closed_at"] is None
    read = newsroom.desk.ask("GET", f"/v1/incidents/{incident['id']}")
    timeline = read.pop("timeline")
    assert max(probability for _, probability in timeline) == read["peak"]
    assert {**read, "evidence": []} == {**incident, "evidence": []}
    assert {"clip", "still"} <= set(read["evidence"]) or kind != EVIDENCE
    monitor = newsroom.monitors[kind]
    assert_none_doubled(newsroom.desk.ask("GET", f"/v1/incidents?monitor={monitor}"))
    shown = newsroom.desk.ask("GET", f"/v1/monitors/{monitor}")
    assert shown["state"] in ("watching", "connecting") and shown["timeline"]


def test_metrics_tell_of_monitors_and_their_lag(newsroom: Newsroom) -> None:
    newsroom.events.wait_for("incident.opened", lambda one: True, PATIENCE)
    told = newsroom.desk.metrics()
    states = {state: told["fakelight_monitors", state] for state in STATES}
    assert sum(states.values()) == len(newsroom.monitors) and states["paused"] == 0
    assert told["fakelight_monitor_verdict_seconds_count",] > 0
    assert told["fakelight_webhook_attempts_total", "delivered"] == 0


def hostile_sources(web: Web) -> dict[str, str]:
    """Addresses of what nobody should serve, and what each is refused for."""
    black = np.zeros((2304, 4096, 3), np.uint8)
    bomb = live_bytes("mpegts", 0.2, size=(4096, 2304), picture=lambda at: black)
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:1\n"
    nested = answer(b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nnested.m3u8\n")
    one = (head + "#EXTINF:2,\n{}.ts\n").format
    web.routes |= {
        "/metadata": away("http://169.254.169.254/latest/meta-data/"),
        "/file": away("file:///etc/passwd"),
        "/inside.m3u8": answer((head + "#EXTINF:2,\nfile:///etc/passwd\n").encode()),
        "/many.m3u8": answer((head + "#EXTINF:2,\na.ts\n" * 10_000).encode()),
        "/huge.m3u8": answer(one("huge").encode()),
        "/huge.ts": answer(b"G", Content_Length=str(1024**3)),
        "/nested.m3u8": nested,
        "/bomb": answer(bomb),
    }
    whys = {
        "/metadata": "169.254.169.254",
        "/file": "file:",
        "/inside.m3u8": "file:///etc/passwd",
        "/many.m3u8": "10000 segments; the limit is 8000",
        "/huge.m3u8": "1073741824 bytes or more",
        "/nested.m3u8": "inside another; the limit is 1",
        "/bomb": "4096x2304 pixels",
    }
    return {web.url + path: why for path, why in whys.items()}


def test_hostile_sources_are_refused_with_a_reason_and_the_others_go_on(newsroom: Newsroom) -> None:
    desk, events = newsroom.desk, newsroom.events
    with web_server() as web:
        whys = {
            desk.ask("POST", "/v1/monitors", {"url": url})["id"]: why
            for url, why in hostile_sources(web).items()
        }
        for monitor, why in whys.items():

            def refused(one: Any, monitor: str = monitor) -> bool:
                return bool(one["id"] == monitor and one.get("state") == "failed")

            assert why in events.wait_for("monitor", refused, PATIENCE)["reason"]
            desk.ask("DELETE", f"/v1/monitors/{monitor}")
    since = time.time()
    for kind, monitor in newsroom.monitors.items():
        until = time.monotonic() + PATIENCE
        while (newest := desk.is_fake_now(monitor)) is None or newest[0] < since:
            assert time.monotonic() < until, f"{kind} does not go on"
            time.sleep(0.2)


@needs_rtmp
def test_a_source_that_vanishes_and_returns_is_one_incident(tmp_path: Path, models: Path) -> None:
    """Its server and its publisher are gone for as long as a reboot takes; the face is the same."""
    clip = looped_clip(tmp_path / "clips", 0.0, 12.0)
    port = free_port()
    (tmp_path / "nginx").mkdir()

    def live(stack: ExitStack) -> str:
        application = stack.enter_context(rtmp_server(tmp_path / "nginx", port))
        stack.enter_context(played(clip, "flv", f"{application}/clip"))
        return f"{application}/clip"

    desk = Desk(tmp_path, models, clip, FAKELIGHT_MONITOR_HOSTS="127.0.0.1")
    try:
        events = EventStream(desk.server, "/v1/monitors/events")
        with ExitStack() as source:
            new = {"url": live(source), "sample_hz": 5}
            monitor = desk.ask("POST", "/v1/monitors", new)["id"]
            opened = events.wait_for("incident.opened", lambda one: True, PATIENCE)
        gone = time.time()
        events.wait_for("monitor", lambda one: one["state"] == "connecting" and one["since"] > gone)
        time.sleep(max(gone + AWAY - time.time(), 0.0))
        with ExitStack() as source:
            live(source)
            back = time.time()

            def grown() -> Any:
                (one, *more) = desk.ask("GET", f"/v1/incidents?monitor={monitor}")
                assert not more and one["id"] == opened["id"] and one["closed_at"] is None
                return one["media_end_s"] - one["media_start_s"] > back - one["opened_at"]

            until = time.monotonic() + PATIENCE
            while not grown():
                assert time.monotonic() < until, events.told[-5:]
                time.sleep(0.2)
        assert not events.of("incident.closed")
    finally:
        desk.server.stop()
