from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stream_server.monitors.alerts.message import message_id
from stream_server.monitors.alerts.outbox import Job, Outbox, enqueue
from stream_server.monitors.alerts.outcome import Outcome
from stream_server.monitors.alerts.schedule import Schedule
from stream_server.monitors.alerts.webhooks import WebhookTable
from tests.support.alerts import add_message, add_webhook

URL = "https://receiver.example/"
AWAY, ERROR, GONE = Outcome("nobody there"), Outcome("500", 500), Outcome("410", 410)
TAKEN = Outcome(status=200)
SCHEDULE = Schedule(delays=(10.0, 20.0, 30.0), jitter=0, patience=2)


@pytest.fixture
def outbox(database: Any) -> Any:
    return Outbox(database, SCHEDULE)


def take(outbox: Outbox, webhook: Any, now: float) -> str | None:
    """Which subject goes out next; it is settled by ``settle`` or released."""
    job = outbox.take(webhook.id, now)
    if job is None:
        return None
    outbox.release(job)
    return job.delivery.payload.split('"id":"')[1].split('"')[0]


def settle(outbox: Outbox, webhook: Any, outcome: Outcome, now: float) -> Job:
    job = outbox.take(webhook.id, now)
    assert job is not None
    outbox.settle(job, outcome, now)
    return job


def states(outbox: Outbox, webhook: Any) -> list[str]:
    return [one.state for one in reversed(outbox.find(webhook=webhook.id))]


def test_every_webhook_that_asks_for_an_event_gets_it(database: Any, outbox: Any) -> None:
    every = add_webhook(database, URL)
    closed = add_webhook(database, URL, "incident.closed")
    off = add_webhook(database, URL, enabled=False)
    add_message(database, "i1")
    add_message(database, "i1", "incident.closed")
    assert len(outbox.find(webhook=every.id)) == 2
    (only,) = outbox.find(webhook=closed.id)
    assert only.type == "incident.closed"
    assert outbox.find(webhook=off.id) == []


def test_the_same_event_twice_is_one_message(database: Any, outbox: Any) -> None:
    webhook, other = add_webhook(database, URL), add_webhook(database, URL)
    add_message(database, "i1")
    add_message(database, "i1")
    (one,) = outbox.find(webhook=webhook.id)
    (same,) = outbox.find(webhook=other.id)
    assert one.message == same.message == message_id("incident.opened", "i1")


def test_a_message_stands_and_falls_with_its_transaction(database: Any, outbox: Any) -> None:
    add_webhook(database, URL)
    with pytest.raises(RuntimeError), database.write() as session:
        enqueue(session, "incident.opened", "i1", 0.0, {})
        raise RuntimeError
    assert outbox.find() == []


def test_a_webhooks_messages_keep_their_order(database: Any, outbox: Any) -> None:
    webhook, now = add_webhook(database, URL), time.time()
    for subject in ("i1", "i2", "i3"):
        add_message(database, subject)
    now = time.time()
    assert take(outbox, webhook, now) == "i1"
    settle(outbox, webhook, AWAY, now)
    # Nobody is there: the others would fare no better, and come after it.
    assert take(outbox, webhook, now + 9) is None
    assert outbox.due(now + 9) == []
    assert outbox.due(now + 11) == [webhook.id]
    for subject in ("i1", "i2", "i3"):
        assert take(outbox, webhook, now + 11) == subject
        settle(outbox, webhook, TAKEN, now + 11)
    assert states(outbox, webhook) == ["delivered"] * 3


def test_one_webhook_does_not_wait_for_another(database: Any, outbox: Any) -> None:
    dead, alive = add_webhook(database, URL), add_webhook(database, URL)
    add_message(database, "i1")
    now = time.time()
    settle(outbox, dead, AWAY, now)
    assert outbox.due(now) == [alive.id]
    assert take(outbox, alive, now) == "i1"


def test_a_message_that_is_turned_down_steps_aside(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "bad")
    add_message(database, "good")
    now = time.time()
    settle(outbox, webhook, ERROR, now)
    assert take(outbox, webhook, now + 1) is None
    settle(outbox, webhook, ERROR, now + 11)
    assert take(outbox, webhook, now + 12) == "good"
    settle(outbox, webhook, TAKEN, now + 12)
    assert take(outbox, webhook, now + 30) is None
    assert take(outbox, webhook, now + 32) == "bad"


@pytest.mark.parametrize("absent", [AWAY, *(Outcome("x", one) for one in (429, 502, 503, 504))])
def test_where_nobody_is_there_nothing_steps_aside(
    database: Any, outbox: Any, absent: Outcome
) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    add_message(database, "i2")
    now = time.time()
    for later in (0, 11, 32):
        settle(outbox, webhook, absent, now + later)
        assert take(outbox, webhook, now + later + 1) is None


def test_what_fails_to_the_end_is_dead_and_can_be_replayed(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    now = time.time()
    for later in (0, 11, 32):
        settle(outbox, webhook, AWAY, now + later)
    last = settle(outbox, webhook, AWAY, now + 63)
    (dead,) = outbox.find("dead")
    assert (dead.attempts, dead.last_error) == (4, "nobody there")
    assert outbox.due(now + 1e6) == []
    assert outbox.waiting() == {webhook.id: (0, 1)}
    assert outbox.replay(now + 100, dead.id) == 1
    assert outbox.replay(now + 100, dead.id) == 0
    again = settle(outbox, webhook, TAKEN, now + 100)
    assert again.delivery.message == last.delivery.message
    assert again.delivery.payload == last.delivery.payload
    assert states(outbox, webhook) == ["delivered"]


def test_what_is_replayed_holds_up_nothing(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "old")
    now = time.time()
    for later in (0, 11, 32, 63):
        settle(outbox, webhook, AWAY, now + later)
    add_message(database, "new")
    assert outbox.replay(now + 100, webhook="another") == 0
    assert outbox.replay(now + 100, webhook=webhook.id) == 1
    assert take(outbox, webhook, now + 100) == "old"
    settle(outbox, webhook, AWAY, now + 100)
    assert take(outbox, webhook, now + 101) == "new"


def test_what_waited_behind_for_the_whole_time_is_tried_once(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    add_message(database, "i2")
    now = time.time()
    for later in (0, 11, 32, 63):
        settle(outbox, webhook, AWAY, now + later)
    assert states(outbox, webhook) == ["dead", "pending"]
    settle(outbox, webhook, AWAY, now + 64)
    assert states(outbox, webhook) == ["dead", "dead"]


def test_gone_switches_the_webhook_off(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    add_message(database, "i2")
    settle(outbox, webhook, GONE, time.time())
    found = WebhookTable(database).get(webhook.id)
    assert not found.enabled
    assert "410" in found.reason
    assert states(outbox, webhook) == ["dead", "dead"]
    add_message(database, "i3")
    assert len(outbox.find()) == 2
    outbox.replay(time.time())
    assert outbox.due(time.time()) == []
    WebhookTable(database).change(webhook.id, enabled=True)
    assert outbox.due(time.time()) == [webhook.id]


def test_the_receiver_may_ask_for_a_pause(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    now = time.time()
    settle(outbox, webhook, Outcome("503", 503, retry_after=500.0), now)
    assert take(outbox, webhook, now + 499) is None
    assert take(outbox, webhook, now + 501) == "i1"


def test_one_server_at_a_time_serves_a_webhook(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    add_message(database, "i2")
    other, now = Outbox(database, SCHEDULE), time.time()
    assert outbox.take(webhook.id, now) is not None
    assert other.take(webhook.id, now) is None
    assert other.due(now) == []
    # The first has died over it.
    assert other.due(now + 60) == [webhook.id]
    assert take(other, webhook, now + 60) == "i1"


def test_a_new_run_takes_up_at_once_what_the_last_was_at(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    assert outbox.take(webhook.id, time.time()) is not None
    outbox.forget_leases()
    # Several servers share a PostgreSQL: another one may be at it.
    assert outbox.due(time.time()) == ([webhook.id] if database.is_sqlite else [])


@pytest.mark.slow
def test_servers_that_share_a_database_double_nothing(database: Any) -> None:
    """Several write, several deliver, and one removes another webhook meanwhile."""
    webhook, doomed = add_webhook(database, URL), add_webhook(database, URL)
    went: list[str] = []
    written = threading.Event()

    def write(first: int) -> None:
        for number in range(first, 20, 2):
            add_message(database, f"i{number}")
            add_message(database, f"i{number // 2}")

    def deliver() -> None:
        outbox = Outbox(database, SCHEDULE)
        while not written.is_set() or outbox.due(time.time()):
            job = outbox.take(webhook.id, time.time())
            if job is not None:
                went.append(job.delivery.message)
                outbox.settle(job, TAKEN, time.time())

    with ThreadPoolExecutor(5) as pool:
        writers = [pool.submit(write, first) for first in (0, 1)]
        readers = [pool.submit(deliver) for _ in range(2)]
        assert pool.submit(WebhookTable(database).remove, doomed.id).result()
        for writer in writers:
            writer.result()
        written.set()
        for reader in readers:
            reader.result()
    assert sorted(went) == sorted(message_id("incident.opened", f"i{n}") for n in range(20))


def test_what_is_removed_meanwhile_is_no_error(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    job = outbox.take(webhook.id, time.time())
    assert WebhookTable(database).remove(webhook.id)
    outbox.settle(job, TAKEN, time.time())
    assert outbox.find() == []
    assert outbox.take(webhook.id, time.time()) is None
    assert not WebhookTable(database).remove(webhook.id)


def test_how_a_webhook_fares_is_written_down(database: Any, outbox: Any) -> None:
    webhook, table = add_webhook(database, URL), WebhookTable(database)
    add_message(database, "i1")
    now = time.time()
    settle(outbox, webhook, AWAY, now)
    settle(outbox, webhook, ERROR, now + 11)
    found = table.get(webhook.id)
    assert (found.failing_since, found.last_error, found.delivered_at) == (now, "500", None)
    settle(outbox, webhook, TAKEN, now + 32)
    found = table.get(webhook.id)
    assert (found.failing_since, found.last_error, found.delivered_at) == (None, "", now + 32)


def test_what_is_over_is_forgotten_in_time(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, URL)
    add_message(database, "i1")
    now = time.time()
    settle(outbox, webhook, TAKEN, now)
    add_message(database, "i2")
    outbox.expire(now)
    assert states(outbox, webhook) == ["delivered", "pending"]
    outbox.expire(now + 1)
    assert states(outbox, webhook) == ["pending"]


def test_a_clock_that_is_set_back_holds_nothing_up(database: Any, outbox: Any) -> None:
    webhook = add_webhook(database, "https://receiver.example/hook")
    add_message(database, "i1")
    now = time.time()
    assert outbox.take(webhook.id, now + 3600) is not None  # and the server that took it is killed
    outbox.set_back(now)
    assert take(outbox, webhook, now + 44) is None
    assert take(outbox, webhook, now + 46) == "i1"
    settle(outbox, webhook, Outcome("it is away"), now + 50)
    assert take(outbox, webhook, now) is None
    outbox.set_back(now)
    assert take(outbox, webhook, now) == "i1"
