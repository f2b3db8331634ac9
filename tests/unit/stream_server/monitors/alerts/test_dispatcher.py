from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError
from standardwebhooks import Webhook as Verifier

from stream_server.addresses import AllowedHosts
from stream_server.database import Database
from stream_server.monitors.alerts.courier import Courier
from stream_server.monitors.alerts.dispatcher import Dispatcher
from stream_server.monitors.alerts.http_sender import HttpSender
from stream_server.monitors.alerts.mail import MailSender
from stream_server.monitors.alerts.outbox import Outbox
from stream_server.monitors.alerts.outcome import AttemptResult
from stream_server.monitors.alerts.schedule import Schedule
from stream_server.monitors.alerts.webhooks import WebhookTable
from stream_server.monitors.store.webhook_tables import Delivery
from stream_server.monitors.wall_clock import WallClock
from stream_server.settings import load
from tests.support.alerts import add_message, add_webhook
from tests.support.receiver import answers, receiver

QUICK = Schedule(delays=(0.1,) * 400, jitter=0, patience=3)
# What differs between databases is in the outbox, and tested there.
pytestmark = pytest.mark.parametrize("address", ["sqlite"], indirect=True)
LOCAL = AllowedHosts.parse("127.0.0.1")


@asynccontextmanager
async def dispatching(
    database: Database,
    schedule: Schedule = QUICK,
    seconds: float = 60,
    observe: Callable[[AttemptResult], None] = lambda result: None,
    clock: WallClock | None = None,
) -> AsyncIterator[Outbox]:
    outbox = Outbox(database, schedule)
    http = HttpSender(LOCAL, seconds=seconds)
    courier = Courier(http, MailSender(load()), "http://fakelight.example")
    dispatcher = Dispatcher(outbox, courier, observe, poll=0.02, clock=clock)
    dispatcher.start()
    try:
        yield outbox
    finally:
        await dispatcher.stop()
        await courier.close()


async def until(outbox: Outbox, state: str, count: int) -> None:
    async with asyncio.timeout(60):
        while len(await asyncio.to_thread(outbox.find, state)) < count:
            await asyncio.sleep(0.02)


async def test_a_message_arrives_signed(database: Any) -> None:
    with receiver() as one:
        webhook = add_webhook(database, one.url)
        async with dispatching(database) as outbox:
            add_message(database, "i1")
            await until(outbox, "delivered", 1)
    (came,) = one.received
    told = Verifier(webhook.secret).verify(came.body, came.headers)
    assert told["type"] == "incident.opened"
    assert told["data"]["id"] == "i1"


async def test_both_secrets_sign_while_one_is_changed(database: Any) -> None:
    with receiver() as one:
        webhook = add_webhook(database, one.url)
        table = WebhookTable(database)
        table.rotate(webhook.id, new := "whsec_" + "bmV3" * 10, 60)
        async with dispatching(database) as outbox:
            add_message(database, "i1")
            await until(outbox, "delivered", 1)
            table.change(webhook.id, old_secret_until=time.time() - 1)
            add_message(database, "i2")
            await until(outbox, "delivered", 2)
    both, alone = one.received
    for secret in (webhook.secret, new):
        Verifier(secret).verify(both.body, both.headers)
    assert len(alone.headers["webhook-signature"].split()) == 1
    Verifier(new).verify(alone.body, alone.headers)


async def test_a_receiver_that_comes_back_gets_all_in_order(database: Any) -> None:
    with receiver() as one:
        one.stop()
        webhook = add_webhook(database, one.url)
        async with dispatching(database) as outbox:
            for number in range(5):
                add_message(database, f"i{number}")
            async with asyncio.timeout(60):
                while WebhookTable(database).get(webhook.id).failing_since is None:
                    await asyncio.sleep(0.02)
            one.start()
            await until(outbox, "delivered", 5)
    subjects = [json.loads(came.body)["data"]["id"] for came in one.received]
    assert subjects == [f"i{number}" for number in range(5)]


async def test_errors_are_tried_again_with_the_same_id(database: Any) -> None:
    observed: list[AttemptResult] = []
    with receiver(answers(500, 502, 200)) as one:
        add_webhook(database, one.url)
        async with dispatching(database, observe=observed.append) as outbox:
            add_message(database, "i1")
            await until(outbox, "delivered", 1)
    assert observed == ["failed", "failed", "delivered"]
    assert len(one.received) == 3
    assert len(set(one.ids)) == 1
    assert len({came.body for came in one.received}) == 1


async def test_one_that_hangs_or_is_dead_holds_up_no_other(database: Any) -> None:
    with receiver(lambda handler: time.sleep(30)) as slow, receiver() as dead, receiver() as quick:
        dead.stop()
        for one in (slow, dead, quick):
            add_webhook(database, one.url)
        async with dispatching(database) as outbox:
            for number in range(20):
                add_message(database, f"i{number}")
            await until(outbox, "delivered", 20)
            assert len(quick.received) == 20
            assert len(slow.received) == 1


async def test_a_message_that_is_turned_down_lets_others_pass(database: Any) -> None:
    def picky(handler: BaseHTTPRequestHandler) -> None:
        bad = one.received[-1].body.count(b'"bad"')
        answers(400 if bad else 200)(handler)

    with receiver(picky) as one:
        add_webhook(database, one.url)
        async with dispatching(database) as outbox:
            add_message(database, "bad")
            add_message(database, "good")
            await until(outbox, "delivered", 1)
            assert len([came for came in one.received if b'"bad"' in came.body]) >= 3


async def test_gone_ends_it(database: Any) -> None:
    observed: list[AttemptResult] = []
    with receiver(answers(410)) as one:
        webhook = add_webhook(database, one.url)
        async with dispatching(database, observe=observed.append) as outbox:
            add_message(database, "i1")
            add_message(database, "i2")
            await until(outbox, "dead", 2)
    assert len(one.received) == 1 and observed == ["dead"]
    assert not WebhookTable(database).get(webhook.id).enabled


@pytest.mark.parametrize("kind", ["slack", "mattermost", "discord"])
async def test_chat_programs_get_their_own_bodies(database: Any, kind: str) -> None:
    with receiver() as one:
        add_webhook(database, one.url, kind=kind)
        async with dispatching(database) as outbox:
            add_message(database, "i1")
            await until(outbox, "delivered", 1)
    body = json.loads(one.received[0].body)
    assert set(body) & {"text", "content"}
    assert "http://fakelight.example/monitor#incident=i1" in json.dumps(body)


async def test_e_mail_without_a_server_waits_and_says_why(database: Any) -> None:
    webhook = add_webhook(database, "mailto:a@example.org", kind="email")
    async with dispatching(database) as outbox:
        add_message(database, "i1")
        async with asyncio.timeout(60):
            while not outbox.find()[0].last_error:
                await asyncio.sleep(0.02)
    assert "FAKELIGHT_SMTP_HOST" in WebhookTable(database).get(webhook.id).last_error


async def test_what_is_under_way_at_a_stop_is_delivered_by_the_next_run(database: Any) -> None:
    with receiver(lambda handler: time.sleep(30)) as one:
        add_webhook(database, one.url)
        async with dispatching(database) as outbox:
            add_message(database, "i1")
            await asyncio.to_thread(one.wait_for, 1)
        (waiting,) = outbox.find("pending")
        assert waiting.attempts == 0
        one.behave = answers(200)
        async with dispatching(database) as outbox:
            await until(outbox, "delivered", 1)
    assert len(set(one.ids)) == 1


@pytest.mark.parametrize("step", ["take", "settle"])
async def test_a_stop_cuts_off_no_step_in_the_database(
    database: Any, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    whole = getattr(Outbox, step)
    begun, go_on = threading.Event(), threading.Event()

    def slow(self: Outbox, *args: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return whole(self, *args)

    monkeypatch.setattr(Outbox, step, slow)
    observed: list[AttemptResult] = []
    with receiver() as one:
        webhook = add_webhook(database, one.url)
        async with dispatching(database, observe=observed.append) as outbox:
            add_message(database, "i1")
            await asyncio.to_thread(begun.wait, 60)
            asyncio.get_running_loop().call_soon(go_on.set)  # once the stop has begun
    answered = step == "settle"
    assert observed == ["delivered"] * answered and len(one.received) == answered
    assert len(outbox.find("delivered")) == answered
    assert WebhookTable(database).get(webhook.id).leased_until == 0


async def test_a_database_that_fails_for_a_while_is_waited_for(
    database: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    left, due = [5], Outbox.due

    def failing(self: Outbox, now: float) -> Any:
        left[0] -= 1
        if left[0] >= 0:
            raise OperationalError("SELECT", {}, Exception("password=secret"))
        return due(self, now)

    monkeypatch.setattr(Outbox, "due", failing)
    with receiver() as one:
        add_webhook(database, one.url)
        add_message(database, "i1")
        async with dispatching(database) as outbox:
            await until(outbox, "delivered", 1)
    assert caplog.text.count("alerts wait") == 1
    assert "secret" not in caplog.text


async def test_a_mistake_of_ours_holds_up_nothing_and_shows_nothing(
    database: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    carry = Courier.carry

    async def broken(self: Courier, webhook: Any, message: str, payload: str) -> Any:
        if '"bad"' in payload:
            raise KeyError("https://receiver.example/secret")
        return await carry(self, webhook, message, payload)

    monkeypatch.setattr(Courier, "carry", broken)
    with receiver() as one:
        add_webhook(database, one.url)
        add_message(database, "bad")
        add_message(database, "good")
        async with dispatching(database, Schedule(delays=(0.1, 0.1), jitter=0)) as outbox:
            await until(outbox, "delivered", 1)
    assert outbox.find("dead")[0].last_error == "an internal error; see the log"
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


async def test_what_waits_for_an_hour_that_the_clock_was_set_back_goes_at_once(
    database: Any,
) -> None:
    wall = [time.time()]
    with receiver() as one:
        add_webhook(database, one.url)
        add_message(database, "i1")
        with database.write() as session:
            session.execute(update(Delivery).values(next_at=time.time() + 3600))
        async with dispatching(database, clock=WallClock(lambda: wall[0], lambda: 0.0)) as outbox:
            await asyncio.sleep(0.2)
            assert not one.received
            wall[0] -= 3600
            await until(outbox, "delivered", 1)
