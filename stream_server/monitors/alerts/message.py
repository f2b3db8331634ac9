"""What is told: the JSON body that a standard webhook carries, and what is told in words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

EventType = Literal["incident.opened", "incident.closed"]
EVENT_TYPES: tuple[str, ...] = get_args(EventType)
TEST = "webhook.test"
_NAME_LENGTH = 120


def message_id(event: str, subject: str) -> str:
    """The ``webhook-id``: the same for the same event of the same subject, whoever sends it."""
    digest = hashlib.sha256(f"{event}\0{subject}".encode()).hexdigest()
    return f"msg_{digest[:32]}"


def payload(event: str, happened: float, data: Mapping[str, Any]) -> str:
    """The body. ``happened`` is in Unix seconds, and says when the event occurred, not when it is
    told."""
    moment = datetime.fromtimestamp(happened, UTC).isoformat(timespec="milliseconds")
    fields = {"type": event, "timestamp": moment.replace("+00:00", "Z"), "data": dict(data)}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True)
class Words:
    """A message for people. ``title`` and ``text`` are plain and may hold what a stranger has
    written, on one line; ``link`` is the server's own page."""

    title: str
    text: str
    link: str


def words(body: str, base: str) -> Words:
    """What the payload ``body`` says; ``base`` is the address that people reach the server at."""
    fields = json.loads(body)
    data, event = fields["data"], fields["type"]
    if event not in EVENT_TYPES:
        return Words("Fakelight: test", "This is a test. Alerts will come here.", f"{base}/monitor")
    name = one_line(data["monitor_name"])
    link = f"{base}/monitor#incident={data['id']}"
    caution = "It can be wrong: a reason to look, not a proof."
    if event == "incident.opened":
        text = f"A face looks manipulated, with {_percent(data['peak'])}, since {_clock(data)}."
        return Words(f"Suspicious face in {name}", f"{text} {caution}", link)
    seconds = max((data["closed_at"] or data["opened_at"]) - data["opened_at"], 0)
    text = (
        f"It began at {_clock(data)} and lasted {_duration(seconds)}; the probability of"
        f" manipulation was {_percent(data['mean'])} on average and {_percent(data['peak'])} at"
        " most."
    )
    return Words(f"Over: suspicious face in {name}", f"{text} {caution}", link)


def one_line(text: str) -> str:
    """What a stranger named, without line breaks and control characters, and not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= _NAME_LENGTH else clean[: _NAME_LENGTH - 1] + "…"


def _percent(probability: float) -> str:
    return f"{100 * probability:.0f} %"


def _clock(data: Mapping[str, Any]) -> str:
    return f"{datetime.fromtimestamp(data['opened_at'], UTC):%Y-%m-%d %H:%M:%S} UTC"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min {whole % 60} s"
