"""What a server outlives: its database killed, its clock set, its disk full. All but the clock is
real."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosed

from stream_server.protocol import Close
from tests.support.browser_pairing import ORIGIN, hello, pair
from tests.support.client import Visit, client, play_on
from tests.support.monitor_desk import Desk, assert_none_doubled, greenish_is_real, looped_clip
from tests.support.paths import ROOT
from tests.support.postgres import Postgres, needs_postgres, running_postgres
from tests.support.server import TOKEN

pytestmark = [
    pytest.mark.server,
    pytest.mark.slow,
    pytest.mark.patient,
    pytest.mark.timeout(900),
]
OPERATOR = {"Authorization": f"Bearer {TOKEN}"}
AWAY = 60.0
HOUR = 3600
LONG = 600  # what no incident of these clips lasts, and no clock is set by
PATIENCE = 240.0
# Python runs it at its start, in the server and in each process that reads a source: the time of
# day is the machine's and as many seconds more as a file says. Monotonic time stays as it is.
SET_CLOCK = """
import os, time
def _set(real):
    def now():
        with open(os.environ["CLOCK_FILE"]) as file:
            return real() + float(file.read())
    return now
time.time = _set(time.time)
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return greenish_is_real(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return looped_clip(tmp_path_factory.mktemp("clips"), real=3.0, fake=6.0)


@pytest.fixture
def postgres() -> Iterator[Postgres]:
    with running_postgres() as server:
        yield server


async def until(done: Any) -> Any:
    """Wait for what ``done`` finds; it may be a request, which blocks."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await asyncio.to_thread(done)):
            await asyncio.sleep(0.1)
        return found


class Watched:
    """A server with a monitor that has an open incident, a stream that plays, and a paired browser;
    what is asked of each afterwards."""

    def __init__(self, desk: Desk, portrait: bytes) -> None:
        self.desk = desk
        self.visits: list[Visit] = []
        self._portrait = portrait
        self.http = httpx.AsyncClient(timeout=60, base_url=desk.server.url)

    async def __aenter__(self) -> Watched:
        self._playing = asyncio.create_task(play_on(self.desk.server, self._portrait, self.visits))
        await asyncio.to_thread(
            self.desk.ask, "POST", "/v1/monitors", {"url": self.desk.source, "sample_hz": 5}
        )
        self.browser = await pair(self.http, self.desk.server, self.desk.server.url)
        await until(lambda: self.visits and self.visits[0].scored)
        await until(lambda: self.desk.ask("GET", "/v1/incidents?state=open"))
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._playing.cancel()
        await asyncio.gather(self._playing, return_exceptions=True)
        await self.http.aclose()

    async def goes_on(self) -> None:
        """The stream has more verdicts, over the connection that it had."""
        before = len(self.visits[0].scored)
        await until(lambda: len(self.visits[0].scored) > before + 5)
        assert len(self.visits) == 1

    async def lets_in(self, browser: dict[str, str]) -> None:
        """A paired browser opens a stream and asks for something."""
        assert (await self.http.get("/v1/info", headers=browser)).status_code == 200
        async with client(self.desk.server, origin=ORIGIN, hello=hello(browser)) as one:
            await one.next("welcome")

    def incidents(self) -> Any:
        return self.desk.ask("GET", "/v1/incidents")


@needs_postgres
async def test_a_database_that_is_killed_stops_no_stream_and_loses_no_incident(
    postgres: Postgres, models: Path, clip: Path, portrait: bytes, tmp_path: Path
) -> None:
    desk = await asyncio.to_thread(
        Desk, tmp_path, models, clip, FAKELIGHT_DATABASE=postgres.database()
    )
    try:
        async with Watched(desk, portrait) as world:
            await world.lets_in(world.browser)
            await asyncio.to_thread(postgres.kill)
            killed = time.time()
            stranger = {**world.browser, "Authorization": f"Bearer {'x' * 43}"}
            for answer in (
                await world.http.post("/v1/pairings", headers={"Origin": ORIGIN}),
                await world.http.get("/v1/info", headers=stranger),
                await world.http.get("/v1/monitors", headers=OPERATOR),
                await world.http.get("/v1/scans", headers=OPERATOR),
            ):
                assert answer.status_code == 503, answer.text
                assert "database" in answer.json()["detail"]
            with pytest.raises(ConnectionClosed) as caught:
                async with client(desk.server, origin=ORIGIN, hello=hello(stranger)) as one:
                    await one.next("welcome")
            assert caught.value.rcvd and caught.value.rcvd.code == Close.TRY_AGAIN_LATER
            await world.lets_in(world.browser)
            await world.goes_on()
            assert (await world.http.get("/readyz")).status_code == 200
            await asyncio.sleep(max(killed + AWAY - time.time(), 0))
            await asyncio.to_thread(postgres.start)
            back = time.time()

            def written() -> Any:
                """What began and what ended while nobody could write it down."""
                try:
                    found = world.incidents()
                except OSError:  # the pool finds out connection by connection
                    return None
                began = [one for one in found if killed < one["opened_at"] < back]
                ended = [one for one in found if killed < (one["closed_at"] or 0) < back]
                return found if began and ended else None

            assert_none_doubled(await until(written))
            await world.goes_on()
            await world.lets_in(world.browser)
            assert await pair(world.http, desk.server, desk.server.url)
        assert desk.server.output.count("monitors wait for their database") <= 1
    finally:
        await asyncio.to_thread(desk.server.stop)


async def test_a_clock_that_is_set_by_an_hour_ends_nothing(
    models: Path, clip: Path, portrait: bytes, tmp_path: Path
) -> None:
    """Only the time of day is set; seconds go on."""
    offset = tmp_path / "offset"

    def set_clock(seconds: int) -> None:
        part = offset.with_suffix(".part")
        part.write_text(str(seconds))
        part.replace(offset)

    set_clock(0)
    (tmp_path / "sitecustomize.py").write_text(SET_CLOCK)
    desk = await asyncio.to_thread(
        Desk,
        tmp_path,
        models,
        clip,
        CLOCK_FILE=str(offset),
        PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}",
    )
    try:
        async with Watched(desk, portrait) as world:
            # An hour forward, and from there back to an hour before it all began.
            for at, by in ((HOUR, HOUR), (-HOUR, -2 * HOUR)):
                number = (await world.http.post("/v1/pairings", headers={"Origin": ORIGIN})).json()
                ticket = await world.http.post("/v1/session/tickets", headers=world.browser)
                before = await until(lambda: desk.ask("GET", "/v1/incidents?state=open"))
                set_clock(at)
                said = f"the clock was set by {by:+d} s"
                await until(lambda said=said: said in desk.server.output)
                await world.goes_on()
                await world.lets_in(world.browser)
                late = await world.http.post(
                    f"/v1/pairings/{number['id']}",
                    json={"code": "000000"},
                    headers={"Origin": ORIGIN},
                )
                assert late.status_code == 410 and "start again" in late.json()["detail"]
                old = {"ticket": ticket.json()["ticket"]}
                assert (await world.http.post("/v1/session", json=old)).status_code == 403
                await world.lets_in(await pair(world.http, desk.server, desk.server.url))

                def closed(one: Any = before[0]) -> Any:
                    found = desk.ask("GET", f"/v1/incidents/{one['id']}")
                    return found if found["closed_at"] is not None else None

                ended = await until(closed)
                # A fake stretch of the clip lasts six seconds, whatever the clock says (on a slow
                # machine several of them may run together).
                assert 0 < ended["closed_at"] - ended["opened_at"] < LONG
                assert abs(ended["closed_at"] - (time.time() + at)) < 240
                times = [at for at, _ in ended["timeline"]]
                assert times == sorted(times) and times[-1] - times[0] < LONG
                await until(lambda: desk.ask("GET", "/v1/incidents?state=open"))
    finally:
        await asyncio.to_thread(desk.server.stop)


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own, in memory."""
    folder.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if sys.platform != "linux" or subprocess.run(made, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here (it takes root)")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte; the file that takes the room."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(random.randbytes(size))
            except OSError:
                continue
    return ballast


async def chunks(content: bytes) -> Any:
    for at in range(0, len(content), 1 << 16):
        yield content[at : at + (1 << 16)]


async def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    models: Path, clip: Path, portrait: bytes, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", 160) as disk:
        desk = await asyncio.to_thread(Desk, disk, models, clip)
        try:
            async with Watched(desk, portrait) as world:
                files = {"file": ("a.jpg", portrait)}
                first = await world.http.post("/v1/scans", headers=OPERATOR, files=files)
                assert first.status_code == 202
                uploads = disk / "state" / "uploads"
                at = f"/v1/scans/{first.json()['id']}"
                await until(lambda: desk.ask("GET", at)["status"] == "done")
                ballast = fill(disk)
                announced = await world.http.post("/v1/scans", headers=OPERATOR, files=files)
                body = b"".join(
                    [
                        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n',
                        random.randbytes(20_000),
                        b"\r\n--x--\r\n",
                    ]
                )
                kind = {"Content-Type": "multipart/form-data; boundary=x"}
                unannounced = await world.http.post(
                    "/v1/scans", headers={**OPERATOR, **kind}, content=chunks(body)
                )
                for answer in (announced, unannounced):
                    assert answer.status_code == 507, answer.text
                    assert "disk" in answer.json()["detail"]
                assert list(uploads.iterdir()) == []
                asked = await world.http.post("/v1/pairings", headers={"Origin": ORIGIN})
                assert asked.status_code == 503
                await world.goes_on()
                await world.lets_in(world.browser)
                assert desk.ask("GET", at)["status"] == "done"
                filled = time.time()
                await until(lambda: time.time() > filled + AWAY)
                ballast.unlink()

                def written() -> Any:
                    found = world.incidents()
                    return [one for one in found if one["opened_at"] > filled] and found

                assert_none_doubled(await until(written))
                again = await world.http.post("/v1/scans", headers=OPERATOR, files=files)
                at = f"/v1/scans/{again.json()['id']}"
                await until(lambda: desk.ask("GET", at)["status"] == "done")
                assert await pair(world.http, desk.server, desk.server.url)
        finally:
            await asyncio.to_thread(desk.server.stop)
        for name in ("monitors.sqlite", "scans.sqlite"):
            with closing(sqlite3.connect(disk / "state" / name)) as kept:
                assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
