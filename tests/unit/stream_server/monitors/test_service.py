"""Monitors from a scripted source through a real analysis loop to a real database.

The faces are told by a script too: what is tested is what becomes of them.
"""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as Pillow
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from stream_server.engine.base import EngineUnavailable
from stream_server.evidence import StreamOptions
from stream_server.ingest.urls.source import SourceFrame, SourceState
from stream_server.live import LiveStream
from stream_server.monitors.keeper import Keeper
from stream_server.monitors.service import MonitorService
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.monitors.store.migrate import open_database
from stream_server.monitors.store.monitors import MonitorTable
from stream_server.monitors.watch import Watch
from stream_server.problem import ProblemError
from stream_server.settings import Settings, load
from tests.support.monitored import face

pytestmark = pytest.mark.patient

PATIENCE = 60.0


class Analysis:
    """Stands for ``Stream``: a picture's blue is the probability that its face is fake."""

    max_faces, crowded = 16, 0
    options = StreamOptions()
    media_time = -1.0
    worked = 0.0

    def reset(self) -> None:
        self.media_time = -1.0

    def signatures(self) -> dict[int, Any]:
        return {}

    def moment(self, track: int) -> None:
        return None

    async def analyse_at(self, now: float, decode: Callable[[], Any]) -> list[Any]:
        frame = decode()
        self.media_time = frame.media_time
        blue = int(frame.image[0, 0, 2])
        if blue == 255:
            raise EngineUnavailable("down for the test")
        return [face("likely_fake" if blue > 100 else "likely_real", blue / 255)]


class Playing:
    """A source whose pictures come as fast as they are taken."""

    def __init__(self, script: Callable[[], Iterator[Any]]) -> None:
        self.script = script

    async def __aenter__(self) -> Playing:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass

    async def __aiter__(self) -> AsyncIterator[Any]:
        for item in self.script():
            if isinstance(item, Exception):
                raise item
            yield item
            await asyncio.sleep(0.02)
            if isinstance(item, SourceState) and item.kind in ("ended", "failed"):
                return
        await asyncio.Event().wait()


def seen(blue: int, number: int) -> SourceFrame:
    image = np.zeros((36, 64, 3), np.uint8)
    image[..., 2] = blue
    return SourceFrame(image, number / 10, number, time.time())


def stretches(*blues: int, each: int = 10) -> Iterator[Any]:
    """Some pictures of each kind, then pictures of the last for ever."""
    yield SourceState("playing")
    number = 0
    for blue in (*blues, *[blues[-1]] * 100_000):
        for _ in range(each):
            number += 1
            yield seen(blue, number)


class World:
    """A service in a folder; ``scripts`` are the sources by the last part of the address."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.scripts: dict[str, Callable[[], Iterator[Any]]] = {}
        self.opened = 0

    def source(self, monitor: Any) -> Any:
        self.opened += 1
        return Playing(self.scripts[monitor.url.rpartition("/")[2]])

    def live(self, send: Any, monitor: Any) -> LiveStream:
        return LiveStream("s", Analysis(), send, max_fps=1000)

    async def check(self, url: str) -> None:
        pass

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Any]:
        stopping = asyncio.Event()
        service = MonitorService(self.settings, stopping, self.check, self.source, self.live)
        await service.start()
        try:
            yield service
        finally:
            stopping.set()
            await service.stop()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(load(state_dir=tmp_path, incident_quiet=0.5, max_monitors=3))


async def until(condition: Callable[[], Any]) -> Any:
    async with asyncio.timeout(PATIENCE):
        while not (found := condition()):
            await asyncio.sleep(0.02)
        return found


async def add(service: Any, name: str, **options: Any) -> Any:
    given = {"name": name, "sample_hz": 10.0, "evidence": False, **options}
    return await service.create(f"https://example.org/{name}", **given)


def state_of(service: Any, monitor: Any) -> Any:
    return service.described(service.monitors.get(monitor.id))["state"]


async def test_an_incident_is_written_and_then_told(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(0, 200, 0)
    async with world.serving() as service:
        with service.events.subscribe() as events:
            monitor = await add(service, "a")
            told: dict[str, Any] = {}
            async with asyncio.timeout(PATIENCE):
                while "incident.closed" not in told:
                    event = await events.next()
                    told[event.name] = event.payload
                    if event.name == "incident.opened":
                        assert service.incidents.get(event.payload["id"]) is not None
        (incident,) = service.incidents.find()
        assert told["incident.opened"]["closed_at"] is None
        assert told["incident.closed"]["closed_at"] == incident.closed_at
        assert incident.monitor == monitor.id and incident.peak == pytest.approx(200 / 255)
        assert told["monitor"]["state"] == "watching"
        watch = service.watchers.watch(monitor.id)
        assert watch.status.lag_s < PATIENCE and watch.timeline.as_json()


async def test_a_picture_comes_with_its_own_faces_and_not_with_those_of_another(world: Any) -> None:
    def script() -> Iterator[Any]:
        yield SourceState("playing")
        for number in range(100_000):
            yield seen(200 if number % 2 else 20, number)

    world.scripts["a"] = script
    async with world.serving() as service:
        monitor = await add(service, "a")
        watch = await until(lambda: service.watchers.watch(monitor.id))
        await until(lambda: watch.newest_judged)
        seen_blues: set[float] = set()
        async with asyncio.timeout(PATIENCE):
            while len(seen_blues) < 2:
                shown = await service.watchers.picture(monitor.id, 640)
                picture = np.asarray(Pillow.open(io.BytesIO(shown.jpeg)))
                (only,) = shown.faces
                assert picture[..., 2].mean() / 255 == pytest.approx(only["probability"], abs=0.1)
                seen_blues.add(round(only["probability"], 1))
        watch._follow(SourceState("frozen"))
        assert watch.newest_judged is None  # none of what stands still is evidence
        watch._follow(SourceState("playing"))
        assert watch.newest_judged is not None
        watch.newest = seen(0, 1)
        watch.newest = replace(watch.newest, captured_at=watch.newest.captured_at + 60)
        assert watch.newest_judged is None  # none of what is shown now was judged


async def test_a_restart_watches_again_and_goes_on_with_what_was_open(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(200)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(service.incidents.find)
    async with world.serving() as service:
        await until(lambda: service.watchers.watch(monitor.id))
        first = service.incidents.find()[0].samples
        await until(lambda: service.incidents.find()[0].samples > first)
        (incident,) = service.incidents.find()
        assert incident.closed_at is None


async def test_what_is_paused_stays_so_and_its_incident_is_closed(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(200)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(service.incidents.find)
        paused = await service.change(monitor, paused=True)
        assert service.described(paused)["state"] == "paused"
        assert service.incidents.find()[0].closed_at is not None
        assert service.watchers.watch(monitor.id) is None
    async with world.serving() as service:
        await asyncio.sleep(1.5)
        assert service.watchers.watch(monitor.id) is None
        await service.change(service.monitors.get(monitor.id), paused=False)
        await until(lambda: state_of(service, monitor) == "watching")


@pytest.mark.parametrize("removed", [False, True])
async def test_what_is_given_up_while_the_list_is_read_is_not_watched_again(
    world: Any, monkeypatch: pytest.MonkeyPatch, removed: bool
) -> None:
    made: list[Watch] = []

    def make(*args: Any) -> Watch:
        made.append(Watch(*args))
        return made[-1]

    monkeypatch.setattr("stream_server.monitors.service.Watch", make)
    world.scripts["a"] = lambda: stretches(200)
    hold, read, go_on = (threading.Event() for _ in range(3))
    real = MonitorTable.all
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(lambda: made)

        def slow(self: MonitorTable) -> Any:
            rows = real(self)
            if hold.is_set():
                read.set()
                assert go_on.wait(PATIENCE)
            return rows

        monkeypatch.setattr(MonitorTable, "all", slow)
        hold.set()
        await until(read.is_set)
        giving = service.remove(monitor) if removed else service.change(monitor, paused=True)
        task = asyncio.create_task(giving)
        await asyncio.sleep(0.5)
        hold.clear()
        go_on.set()
        await task
        await asyncio.sleep(0.5)
        assert service.watchers.watch(monitor.id) is None
        assert len(made) == 1


async def test_what_was_just_written_when_a_monitor_is_paused_is_told(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scripts["a"] = lambda: stretches(200, 0)
    written, go_on, real = threading.Event(), threading.Event(), IncidentTable.save

    def slow(self: IncidentTable, *args: Any) -> Any:
        changed = real(self, *args)
        if any(change == "closed" for _, change in changed):
            written.set()
            assert go_on.wait(PATIENCE)
        return changed

    monkeypatch.setattr(IncidentTable, "save", slow)
    async with world.serving() as service:
        with service.events.subscribe() as events:
            monitor = await add(service, "a")
            await until(written.is_set)
            pausing = asyncio.create_task(service.change(monitor, paused=True))
            await until(lambda: service.watchers.watch(monitor.id) is None)
            await asyncio.sleep(0.2)  # until who watches it has heard that it is to end
            go_on.set()
            await pausing
            async with asyncio.timeout(PATIENCE):
                while (await events.next()).name != "incident.closed":
                    pass


@pytest.mark.parametrize("what", ["paused", "removed"])
async def test_what_a_killed_server_did_not_come_to_close_is_closed(world: Any, what: str) -> None:
    world.scripts["a"] = lambda: stretches(200)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(service.incidents.find)
    database = open_database(world.settings)  # as far as it came before it was killed
    table = MonitorTable(database)
    if what == "paused":
        table.change(monitor.id, paused=True)
    else:
        table.remove(monitor.id)
    database.close()
    async with world.serving() as service:
        (incident,) = await until(lambda: service.incidents.find(state="closed"))
        assert incident.closed_at == incident.suspicious_at


class Outage:
    """Lets incidents be written down, or not, as where the database has gone away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = False
        real = IncidentTable.save

        def save(table: IncidentTable, *given: Any) -> Any:
            if self.on:
                raise OperationalError("", {}, Exception("for the test"))
            return real(table, *given)

        monkeypatch.setattr(IncidentTable, "save", save)


@pytest.mark.parametrize("what", ["paused", "removed"])
async def test_a_database_that_goes_away_inside_the_request_leaves_no_incident_open(
    world: Any, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.scripts["a"] = lambda: stretches(200)
    outage = Outage(monkeypatch)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(service.incidents.find)
        outage.on = True
        with pytest.raises(SQLAlchemyError):
            if what == "paused":
                await service.change(monitor, paused=True)
            else:
                await service.remove(monitor)
        await asyncio.sleep(1.5)  # longer than from one look at what is wanted to the next
        assert service.incidents.find(state="closed") == []
        outage.on = False
        (incident,) = await until(lambda: service.incidents.find(state="closed"))
        assert incident.closed_at == incident.suspicious_at


async def test_nor_does_one_that_is_away_when_the_stream_ends(
    world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    outage = Outage(monkeypatch)

    def script() -> Iterator[Any]:
        yield SourceState("playing")
        yield from (seen(200, number) for number in range(20))
        outage.on = True
        yield SourceState("ended")

    world.scripts["a"] = script
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(lambda: state_of(service, monitor) == "failed")
        outage.on = False
        await until(lambda: service.incidents.find(state="closed"))


async def test_a_monitor_is_paused_since_it_was_paused(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(0)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(lambda: service.monitors.get(monitor.id).state == "watching")
        before = time.time()
        paused = await service.change(monitor, paused=True)
        assert (paused.state, paused.faces, paused.lag_s) == ("paused", [], None)
        assert before <= service.described(paused)["since"] <= time.time()


@pytest.mark.parametrize("script", [lambda: stretches(0), lambda: iter([SourceState("stalled")])])
async def test_events_tell_the_new_name(world: Any, script: Any) -> None:
    world.scripts["a"] = script
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(lambda: state_of(service, monitor) in ("watching", "stalled"))
        with service.events.subscribe() as events:
            await service.change(monitor, name="another")
            async with asyncio.timeout(PATIENCE):
                while (await events.next()).payload["name"] != "another":
                    pass
        # What broke is watched again under the new name.
        assert service.watchers._watched[monitor.id].guarded.make().monitor.name == "another"


async def test_what_is_removed_is_gone_and_its_incidents_stay(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(200)
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(service.incidents.find)
        await service.remove(monitor)
        assert service.monitors.all() == [] and service.watchers.watch(monitor.id) is None
        assert service.incidents.find()[0].closed_at is not None


async def test_a_monitor_that_breaks_takes_no_other_with_it(world: Any) -> None:
    tried = 0

    def breaking() -> Iterator[Any]:
        nonlocal tried
        tried += 1
        yield RuntimeError("for the test") if tried < 2 else SourceState("playing")

    world.scripts.update(bad=breaking, good=lambda: stretches(200))
    async with world.serving() as service:
        bad, good = await add(service, "bad"), await add(service, "good")
        await until(lambda: state_of(service, bad) == "failed")
        await until(lambda: state_of(service, good) == "watching")
        await until(lambda: state_of(service, bad) == "watching")


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        ("connecting", "connecting"),
        ("stalled", "stalled"),
        ("frozen", "stalled"),
        ("black", "stalled"),
        ("silent", "watching"),
        ("failed", "failed"),
        ("ended", "failed"),
    ],
)
async def test_the_source_s_states(world: Any, kind: Any, state: str) -> None:
    def script() -> Iterator[Any]:
        yield SourceState("playing")
        yield seen(0, 1)
        yield SourceState(kind, "why it is so")

    world.scripts["a"] = script
    async with world.serving() as service:
        monitor = await add(service, "a")
        shown = await until(
            lambda: (
                (found := service.described(service.monitors.get(monitor.id)))["reason"]
                == "why it is so"
                and found
            )
        )
        assert shown["state"] == state


async def test_black_is_no_evidence(world: Any) -> None:
    def script() -> Iterator[Any]:
        yield SourceState("playing")
        yield from (seen(0, number) for number in range(5))
        yield SourceState("black")
        yield from (seen(200, number) for number in range(6, 30))
        yield SourceState("playing", "again")
        yield from (seen(0, number) for number in range(30, 35))

    world.scripts["a"] = script
    async with world.serving() as service:
        monitor = await add(service, "a")
        watch = await until(lambda: service.watchers.watch(monitor.id))
        await until(lambda: watch.status.reason)
        await until(lambda: watch.newest.frame_id == 34)
        assert service.incidents.find() == []


async def test_one_that_failed_is_tried_again_when_it_is_resumed(world: Any) -> None:
    world.scripts["a"] = lambda: iter([SourceState("failed", "no")])
    async with world.serving() as service:
        monitor = await add(service, "a")
        await until(lambda: state_of(service, monitor) == "failed")
        world.scripts["a"] = lambda: stretches(0)
        await until(lambda: service.watchers._watched[monitor.id].task.done())
        await service.change(service.monitors.get(monitor.id), paused=False)
        await until(lambda: state_of(service, monitor) == "watching")


async def test_a_stream_that_ends_leaves_no_incident_open(world: Any) -> None:
    def script() -> Iterator[Any]:
        yield SourceState("playing")
        yield from (seen(200, number) for number in range(20))
        yield SourceState("ended")

    world.scripts["a"] = script
    async with world.serving() as service:
        await add(service, "a")
        (incident,) = await until(lambda: service.incidents.find(state="closed"))
        assert incident.closed_at == incident.suspicious_at


async def test_an_engine_that_is_down_is_told(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(255)
    async with world.serving() as service:
        monitor = await add(service, "a")
        watch = await until(lambda: service.watchers.watch(monitor.id))
        await until(lambda: "down for the test" in watch.status.reason)
        assert watch.status.state == "watching"


async def test_an_analysis_that_failed_is_told_until_the_next_verdict(world: Any) -> None:
    def script() -> Iterator[Any]:
        yield SourceState("silent")
        yield from (seen(255, number) for number in range(20))
        yield from (seen(0, number) for number in range(20, 1000))

    world.scripts["a"] = script
    async with world.serving() as service:
        with service.events.subscribe() as events:
            await add(service, "a")
            async with asyncio.timeout(PATIENCE):
                for words in ("down for the test", "the sound is gone"):
                    while words not in (await events.next()).payload.get("reason", ""):
                        pass


@pytest.mark.parametrize(
    ("kind", "state"), [("frozen", "stalled"), ("connecting", "connecting"), ("ended", "failed")]
)
async def test_an_analysis_that_failed_late_hides_nothing(
    world: Any, kind: Any, state: str
) -> None:
    world.scripts["a"] = lambda: iter([SourceState("playing"), SourceState(kind, "why")])
    async with world.serving() as service:
        monitor = await add(service, "a")
        watch = await until(lambda: service.watchers.watch(monitor.id))
        await until(lambda: watch.status.reason == "why")
        watch._hear({"type": "error", "code": "analysis_failed", "message": "late"})
        assert (watch.status.state, watch.status.reason) == (state, "why")


async def test_there_is_a_limit(world: Any) -> None:
    for name in "abc":
        world.scripts[name] = lambda: stretches(0)
    async with world.serving() as service:
        for name in "abc":
            await add(service, name)
        with pytest.raises(ProblemError, match="3 monitors"):
            await add(service, "a")


async def test_of_two_servers_one_watches_and_the_other_takes_over(world: Any) -> None:
    world.scripts["a"] = lambda: stretches(200)
    async with world.serving() as first:
        monitor = await add(first, "a")
        await until(first.incidents.find)
        async with world.serving() as second:
            await asyncio.sleep(1.5)
            assert second.watchers.watch(monitor.id) is None
            assert state_of(second, monitor) in ("connecting", "watching")
            await first.stop()
            await until(lambda: second.watchers.watch(monitor.id))
            assert len(second.incidents.find()) == 1


async def test_while_the_database_is_away_the_service_says_so(tmp_path: Path) -> None:
    world = World(load(state_dir=tmp_path, database="postgresql://x:secret@/x?host=/nowhere"))
    async with world.serving() as service:
        with pytest.raises(ProblemError, match="database is not there") as told:
            await add(service, "a")
        assert "secret" not in str(told.value)


async def test_a_database_of_a_later_version_stops_nothing_else(world: Any) -> None:
    database = open_database(world.settings)
    with database.schema() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    await no_monitors(world, "another version.*9999")


async def test_an_address_of_no_database_stops_nothing_else(tmp_path: Path) -> None:
    await no_monitors(World(load(state_dir=tmp_path, database="mysql://x/y")), "no database 'mysql")


async def no_monitors(world: World, says: str) -> None:
    async with world.serving() as service:
        await until(lambda: service._storage.trouble != "it is being opened")
        with pytest.raises(ProblemError, match=says) as told:
            await add(service, "a")
        assert told.value.status == 503


def test_a_lock_goes_with_its_holder(database: Any, tmp_path: Path) -> None:
    first, second = (Keeper(database, tmp_path) for _ in range(2))
    assert first.holds() and first.holds() and not second.holds()
    first.release()
    assert second.holds()
    assert not first.holds()  # whoever has let go takes it no more
    second.release()


def test_the_lock_is_noticed_to_be_lost(tmp_path: Path, postgres: Any) -> None:
    address = postgres.database()
    database = open_database(load(state_dir=tmp_path, database=address))
    keeper = Keeper(database, tmp_path)
    assert keeper.holds()
    postgres.stop()
    postgres.start()
    other = Keeper(database, tmp_path)
    database.engine.dispose()
    assert other.holds() and not keeper.holds()
    other.release()
    database.close()
