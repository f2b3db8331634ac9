"""A real server tells real receivers of incidents: those that are away, slow or wrong, and through
its own death. The incidents are written as another process that watches writes them."""

from __future__ import annotations

import json
import random
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from stream_server.database import Database
from stream_server.monitors.alerts.service import tell_of_incident
from stream_server.monitors.alerts.signature import new_secret
from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.incidents import IncidentTable
from tests.support.receiver import Receiver, answers, receiver
from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import Server, start_server
from tests.support.tiny_repository import tiny_repository

pytestmark = pytest.mark.server
SETTINGS = {"FAKELIGHT_MONITOR_HOSTS": "127.0.0.1"}
OPENED = 1_700_000_000.0


class World:
    """A server that dies and comes back over the same folder, and what writes incidents to it."""

    def __init__(self, folder: Path, models: Any, **settings: str) -> None:
        self.folder = folder
        self._models = str(models)
        self._settings = {**SETTINGS, **settings}
        self.server: Server
        self.start()
        self._database = Database(f"sqlite:///{folder / 'state' / 'monitors.sqlite'}")
        self._incidents = IncidentTable(self._database, [tell_of_incident])

    def start(self) -> None:
        arguments = ("--models", self._models)
        self.server = start_server(self.folder, *arguments, environment=self._settings)

    def kill(self) -> None:
        self.server.process.kill()
        self.server.process.wait()

    def close(self) -> None:
        self.server.stop()
        self._database.close()

    def ask(self, method: str, path: str, **fields: Any) -> Any:
        body = json.dumps(fields).encode() if fields else None
        request = urllib.request.Request(self.server.url + path, body, method=method)
        request.add_header("Authorization", f"Bearer {self.server.token}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def incident(self, name: str, closed: bool = False) -> None:
        stretch = Stretch(
            id=name,
            monitor="m1",
            track=1,
            opened_at=OPENED,
            media_start_s=0.0,
            media_end_s=5.0,
            peak=0.95,
            mean=0.9,
            samples=20,
            suspicious_at=OPENED,
            box=(0.1, 0.1, 0.2, 0.2),
            members={},
            closed_at=OPENED + 5 if closed else None,
        )
        self._incidents.save([stretch], None)

    def until_all_are(self, state: str, count: int) -> None:
        end = time.monotonic() + 180
        while len(self.ask("GET", f"/v1/webhooks/deliveries?state={state}&limit=1000")) < count:
            assert time.monotonic() < end, self.server.output[-2000:]
            time.sleep(0.2)


@pytest.fixture(scope="module")
def living(models: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    world = World(tmp_path_factory.mktemp("alerts"), models)
    yield world
    world.close()


@pytest.fixture
def world(living: Any) -> Iterator[Any]:
    """The one server, with no webhooks of an earlier test."""
    for hook in living.ask("GET", "/v1/webhooks"):
        living.ask("DELETE", f"/v1/webhooks/{hook['id']}")
    yield living
    assert "Traceback" not in living.server.output


@contextmanager
def hooked(world: World, behave: Any = None, **fields: Any) -> Iterator[tuple[Receiver, Any]]:
    with receiver(behave) as one:
        yield one, world.ask("POST", "/v1/webhooks", url=one.url, **fields)


def subjects(one: Receiver) -> list[tuple[str, str]]:
    told = [json.loads(came.body) for came in one.received]
    return [(body["type"].removeprefix("incident."), body["data"]["id"]) for body in told]


def test_an_incident_is_told_signed_and_in_order(world: Any) -> None:
    with hooked(world) as (one, hook):
        world.incident("i1")
        world.incident("i1", closed=True)
        came = one.wait_for(2)
        for request in came:
            assert Verifier(hook["secret"]).verify(request.body, request.headers)
            with pytest.raises(WebhookVerificationError):
                Verifier(new_secret()).verify(request.body, request.headers)
        assert subjects(one) == [("opened", "i1"), ("closed", "i1")]
        world.until_all_are("delivered", 2)


def test_a_dead_receiver_gets_all_once_it_is_back_though_the_server_went_too(world: Any) -> None:
    with hooked(world) as (one, hook), hooked(world) as (other, _):
        one.stop()
        for number in range(3):
            world.incident(f"dead{number}")
        other.wait_for(3)  # it does not wait for the dead one
        world.server.stop()
        world.start()
        one.start()
        one.wait_for(3, seconds=120)
        # The server that starts closes them, as nothing watches their monitor: that comes after.
        assert subjects(one)[:3] == [("opened", f"dead{number}") for number in range(3)]
        world.until_all_are("delivered", 6)
        assert world.ask("GET", f"/v1/webhooks/{hook['id']}")["failing_since"] is None


def test_errors_then_success(world: Any) -> None:
    with hooked(world, answers(500, 503, 200)) as (one, _):
        world.incident("errors")
        world.until_all_are("delivered", 1)
        assert len(one.received) == 3
        assert len(set(one.ids)) == 1
        stamps = [int(came.headers["webhook-timestamp"]) for came in one.received]
        assert stamps[0] < stamps[1] < stamps[2]  # each attempt has its own


def test_a_slow_and_a_flooding_receiver_hold_up_nobody(world: Any) -> None:
    def flood(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
        for _ in range(1 << 14):
            handler.wfile.write(b"x" * 65536)

    with (
        hooked(world, lambda handler: time.sleep(60)) as (slow, _),
        hooked(world, flood) as (flooding, _),
        hooked(world) as (quick, _),
    ):
        for number in range(10):
            world.incident(f"slow{number}")
        quick.wait_for(10)
        flooding.wait_for(10)
        assert len(set(slow.ids)) == 1
        before = world.server.memory_mb()
        assert before is None or before < 2000


def test_a_receiver_that_is_gone_ends_it_and_a_person_can_replay(world: Any) -> None:
    with hooked(world, answers(410)) as (one, hook):
        world.incident("gone")
        world.until_all_are("dead", 1)
        assert not world.ask("GET", f"/v1/webhooks/{hook['id']}")["enabled"]
        one.behave = answers(200)
        world.ask("PATCH", f"/v1/webhooks/{hook['id']}", enabled=True)
        assert world.ask("POST", "/v1/webhooks/deliveries/replay") == {"replayed": 1}
        world.until_all_are("delivered", 1)
        assert one.ids == [one.ids[0]] * 2


def test_no_secret_reaches_the_log(world: Any) -> None:
    with receiver(answers(500)) as one:
        url = f"http://me:hidden-one@127.0.0.1:{one.port}/hidden-two?t=hidden-three"
        secret = world.ask("POST", "/v1/webhooks", url=url)["secret"]
        world.ask("POST", "/v1/webhooks", url=one.url.replace("hook", "hidden-four"), kind="slack")
        world.incident("log")
        one.wait_for(4)
    shown = json.dumps(world.ask("GET", "/v1/webhooks")) + world.server.output
    shown += json.dumps(world.ask("GET", "/v1/webhooks/deliveries"))
    assert "the receiver answered 500" in shown
    for hidden in ("hidden-one", "hidden-three", "hidden-four", secret):
        assert hidden not in shown
    assert "hidden-two" not in world.server.output


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_a_monitor_finds_is_told_by_webhook(tmp_path: Path) -> None:
    """From the pictures of a source to a receiver that was away when it happened."""
    every_face_is_fake = {"threshold_fake": "0.05", "threshold_real": "0.01"}
    models = tiny_repository(tmp_path / "triton_models", parameters=every_face_is_fake)
    clip = write_video(tmp_path / "loop.mp4", moving_face(), every(15, 10), rate=15)
    world = World(tmp_path / "server", models, FAKELIGHT_MONITOR_FILES=str(tmp_path))
    try:
        with hooked(world) as (one, hook):
            one.stop()
            fields = {"url": f"file://{clip}", "name": "<!channel> Studio"}
            monitor = world.ask("POST", "/v1/monitors", **fields)
            end = time.monotonic() + 240
            while world.ask("GET", f"/v1/webhooks/{hook['id']}")["failing_since"] is None:
                assert time.monotonic() < end, world.ask("GET", f"/v1/monitors/{monitor['id']}")
                time.sleep(0.2)
            one.start()
            (came,) = one.wait_for(1, seconds=120)
            world.ask("PATCH", f"/v1/monitors/{monitor['id']}", paused=True)
            _, last = one.wait_for(2, seconds=120)
        opened, closed = (Verifier(hook["secret"]).verify(r.body, r.headers) for r in (came, last))
        assert (opened["type"], closed["type"]) == ("incident.opened", "incident.closed")
        assert opened["data"]["monitor_name"] == "<!channel> Studio"
        shown = world.ask("GET", f"/v1/incidents/{opened['data']['id']}")
        assert (
            closed["data"].items()
            >= {
                name: shown[name] for name in ("id", "monitor", "peak", "mean", "closed_at")
            }.items()
        )
    finally:
        world.close()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_lose_nothing_and_double_nothing_but_with_its_id(world: Any) -> None:
    """Incidents open and close while the server is killed, each time at another moment."""
    dice = random.Random(7)

    def slowly(handler: Any) -> None:
        time.sleep(dice.uniform(0.02, 0.3))
        answers(200)(handler)

    names = [f"kill{number}" for number in range(60)]
    with hooked(world, slowly) as (one, hook), hooked(world) as (other, _):

        def write(some: list[str]) -> None:
            for name in some:
                world.incident(name)
                world.incident(name, closed=True)

        for first in range(0, len(names), 6):
            writer = threading.Thread(target=write, args=(names[first : first + 6],))
            writer.start()
            time.sleep(dice.uniform(0.0, 2.0))  # amid writing, or amid what is delivered of it
            world.kill()
            writer.join()
            world.start()
        wanted = {(state, name) for name in names for state in ("opened", "closed")}
        # What other tests left open is closed at a start as well, and told.
        end = time.monotonic() + 180
        while not all(wanted <= set(subjects(mine)) for mine in (one, other)):
            assert time.monotonic() < end, world.server.output[-2000:]
            time.sleep(0.2)
        for mine in (one, other):
            pairs = [
                pair for pair in zip(subjects(mine), mine.ids, strict=True) if pair[0] in wanted
            ]
            by_subject = dict(pairs)
            assert set(by_subject) == wanted
            assert len({message for _, message in pairs}) == 2 * len(names)
            first = list(dict.fromkeys(subject for subject, _ in pairs))
            assert first == [(state, n) for n in names for state in ("opened", "closed")]
        for came in one.received:
            Verifier(hook["secret"]).verify(came.body, came.headers)
