"""Faces, incidents and monitors for the tests of monitors."""

from __future__ import annotations

from typing import Any

from stream_server.monitors.incidents import Stretch
from stream_server.monitors.store.tables import Monitor
from stream_server.stream import Face
from stream_server.verdict import Verdict

BOX = (0.4, 0.3, 0.2, 0.3)
ELSEWHERE = (0.05, 0.05, 0.1, 0.2)


def face(
    verdict: Verdict, probability: float | None = None, track: int = 1, box: Any = BOX
) -> Face:
    """A face as a stream tells of it; the probability is the verdict's own if none is given."""
    usual = {"likely_fake": 0.9, "unsure": 0.5, "likely_real": 0.1}.get(verdict)
    value = usual if probability is None else probability
    members = {} if value is None else {"one": value}
    return Face(track, box, value, verdict, 20, (), members)


def stretch(number: int = 1, monitor: str = "m", **changes: Any) -> Stretch:
    """An incident that began at a round time."""
    values: dict[str, Any] = {
        "id": f"i{number}",
        "monitor": monitor,
        "track": number,
        "opened_at": 1000.0 * number,
        "media_start_s": 10.0,
        "media_end_s": 12.0,
        "peak": 0.9,
        "mean": 0.8,
        "samples": 4,
        "suspicious_at": 1000.0 * number + 2,
        "box": BOX,
        "members": {"one": 0.9},
    }
    return Stretch(**{**values, **changes})


def monitor(name: str = "m", **changes: Any) -> Monitor:
    """A monitor of nothing in particular."""
    values: dict[str, Any] = {
        "id": name,
        "name": name,
        "url": f"https://user:secret@example.org/{name}.m3u8?token=secret",
        "sample_hz": 10.0,
        "evidence": False,
        "paused": False,
        "created": 1.0,
        "generation": 0,
        "state": "connecting",
        "reason": "",
        "since": 1.0,
        "faces": [],
    }
    return Monitor(**{**values, **changes})
