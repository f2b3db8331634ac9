from __future__ import annotations

import json
from typing import Any

import pytest

from stream_server.monitors.alerts.message import message_id, one_line, payload, words

OPENED: dict[str, Any] = {
    "id": "i1",
    "monitor": "m1",
    "monitor_name": "Studio A",
    "opened_at": 1_700_000_000.0,
    "closed_at": None,
    "peak": 0.934,
    "mean": 0.9,
}
CLOSED = {**OPENED, "closed_at": 1_700_000_125.0}


def test_the_body_has_type_time_and_data() -> None:
    body = payload("incident.opened", 1_700_000_000.25, OPENED)
    assert json.loads(body) == {
        "type": "incident.opened",
        "timestamp": "2023-11-14T22:13:20.250Z",
        "data": OPENED,
    }
    assert "\n" not in body


def test_an_event_has_one_id_and_another_event_another() -> None:
    first = message_id("incident.opened", "i1")
    assert first == message_id("incident.opened", "i1")
    others = {message_id("incident.closed", "i1"), message_id("incident.opened", "i2")}
    assert len({first, *others}) == 3
    assert first.startswith("msg_")
    assert "." not in first


def test_an_opened_incident_in_words() -> None:
    told = words(payload("incident.opened", 0, OPENED), "https://fakelight.example")
    assert told.title == "Suspicious face in Studio A"
    assert "with 93 %, since 2023-11-14 22:13:20 UTC" in told.text
    assert "not a proof" in told.text
    assert told.link == "https://fakelight.example/monitor#incident=i1"


@pytest.mark.parametrize(("closed", "lasted"), [(4.4, "4 s"), (125.0, "2 min 5 s"), (-1.0, "0 s")])
def test_a_closed_incident_in_words(closed: float, lasted: str) -> None:
    data = {**CLOSED, "closed_at": OPENED["opened_at"] + closed}
    told = words(payload("incident.closed", 0, data), "")
    assert told.title == "Over: suspicious face in Studio A"
    assert f"lasted {lasted}; " in told.text
    assert "90 % on average and 93 % at most" in told.text


def test_a_test_says_that_it_is_one() -> None:
    told = words(payload("webhook.test", 0, {"webhook": "w"}), "http://x")
    assert "test" in told.title
    assert told.link == "http://x/monitor"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\r\nBcc: all@example.org", "a Bcc: all@example.org"),
        ("  a\t\x00\u2028b\u202e ", "a b"),
        ("x" * 500, "x" * 119 + "…"),
        ("", ""),
    ],
)
def test_a_name_becomes_one_short_line(name: str, shown: str) -> None:
    assert one_line(name) == shown
