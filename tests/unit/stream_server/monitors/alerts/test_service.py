from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from stream_server.monitors.alerts.outbox import Outbox
from stream_server.monitors.alerts.schedule import Schedule
from stream_server.monitors.alerts.service import Alerts, tell_of_incident
from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.incidents import IncidentTable
from stream_server.settings import load
from tests.support.alerts import add_monitor, add_webhook
from tests.support.mail_server import Inbox, mail_server
from tests.support.receiver import receiver
from tests.support.server import free_port


def stretch(**fields: Any) -> Stretch:
    known = {
        "id": "i1",
        "monitor": "m1",
        "track": 3,
        "opened_at": 1_700_000_000.0,
        "media_start_s": 1.0,
        "media_end_s": 2.0,
        "peak": 0.97,
        "mean": 0.91,
        "samples": 9,
        "suspicious_at": 1_700_000_001.0,
        "box": (0.1, 0.1, 0.2, 0.2),
        "members": {"a": 0.9},
    }
    return Stretch(**{**known, **fields})


def told(database: Any) -> list[dict[str, Any]]:
    return [json.loads(one.payload) for one in reversed(Outbox(database).find())]


def test_an_incident_is_told_of_when_it_opens_and_when_it_closes(database: Any) -> None:
    add_webhook(database, "https://receiver.example/")
    add_monitor(database, "m1", name="Studio A")
    table = IncidentTable(database, [tell_of_incident])
    table.save([stretch()], None)
    table.save([stretch(), stretch(peak=0.98)], None)
    table.save([stretch(closed_at=1_700_000_009.5, peak=0.98)], None)
    table.save([stretch(closed_at=1_700_000_009.5, peak=0.98)], None)
    opened, closed = told(database)
    assert (opened["type"], opened["timestamp"]) == ("incident.opened", "2023-11-14T22:13:20.000Z")
    assert (closed["type"], closed["timestamp"]) == ("incident.closed", "2023-11-14T22:13:29.500Z")
    assert opened["data"]["monitor_name"] == "Studio A"
    assert (opened["data"]["closed_at"], closed["data"]["closed_at"]) == (None, 1_700_000_009.5)
    assert closed["data"]["peak"] == 0.98
    known = {"id", "monitor", "track", "opened_at", "media_start_s", "mean", "verdict", "members"}
    assert known <= set(opened["data"])


def test_one_that_opens_and_closes_at_once_is_told_of_twice(database: Any) -> None:
    add_webhook(database, "https://receiver.example/")
    table = IncidentTable(database, [tell_of_incident])
    table.save([stretch(closed_at=1_700_000_009.5)], None)
    opened, closed = told(database)
    assert (opened["data"]["closed_at"], closed["data"]["closed_at"]) == (None, 1_700_000_009.5)
    assert opened["data"]["monitor_name"] == ""  # it has been removed meanwhile


@pytest.mark.parametrize(
    ("settings", "link"),
    [
        ({"public_url": "https://f.example/x/"}, "https://f.example/x/monitor"),
        ({"host": "127.0.0.1", "port": 9000}, "http://127.0.0.1:9000/monitor"),
        ({"host": "0.0.0.0"}, "http://127.0.0.1:8765/monitor"),
        ({"host": "::"}, "http://[::1]:8765/monitor"),
        ({"host": "fd00::5"}, "http://[fd00::5]:8765/monitor"),
    ],
)
async def test_links_lead_to_where_people_reach_the_server(
    database: Any, settings: dict[str, Any], link: str
) -> None:
    alerts = Alerts(load(monitor_hosts="127.0.0.1", **settings))
    with receiver() as one:
        webhook = add_webhook(database, one.url, kind="mattermost")
        assert (await alerts.test(webhook)).delivered
    await alerts.stop()
    assert f"]({link})" in json.loads(one.received[0].body)["text"]


async def test_a_database_that_comes_after_the_end_starts_nothing(database: Any) -> None:
    alerts = Alerts(load())
    await alerts.stop()
    await alerts.start(database)
    with pytest.raises(ValueError, match="database is not there"):
        _ = alerts.webhooks


@pytest.mark.parametrize("address", ["sqlite"], indirect=True)
async def test_an_incident_is_mailed_once_the_mail_server_is_there(database: Any) -> None:
    inbox, port = Inbox(), free_port()
    sender = {"smtp_sender": "fakelight@example.org", "smtp_security": "none"}
    settings = load(smtp_host="127.0.0.1", smtp_port=port, **sender)
    alerts = Alerts(settings, Schedule(delays=(0.2,) * 400, jitter=0))
    webhook = add_webhook(database, "mailto:desk@example.org", kind="email")
    add_monitor(database, "m1", name="Studio A\r\nBcc: all@example.org")
    await alerts.start(database)
    IncidentTable(database, [tell_of_incident]).save([stretch()], None)
    async with asyncio.timeout(60):
        while not alerts.webhooks.get(webhook.id).last_error:
            await asyncio.sleep(0.05)
        with mail_server(inbox, port):
            while not alerts.outbox.find("delivered"):
                await asyncio.sleep(0.05)
    await alerts.stop()
    ((envelope, mail, _),) = inbox.mails
    assert envelope.rcpt_tos == ["desk@example.org"]
    assert mail["Subject"] == "Suspicious face in Studio A Bcc: all@example.org"
    assert mail["Bcc"] is None
    assert "http://127.0.0.1:8765/monitor#incident=i1" in mail.get_content()
