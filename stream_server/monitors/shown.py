"""The picture of a monitor that people are shown, with the faces that were found in it."""

from __future__ import annotations

from typing import Any, NamedTuple

from stream_server.monitors.evidence import jpeg
from stream_server.monitors.watch import Watch

_QUALITY = 80


class Shown(NamedTuple):
    """``captured_at`` in Unix seconds, ``faces`` as in a ``verdict`` message."""

    captured_at: float
    jpeg: bytes
    faces: list[dict[str, Any]]


def shown(watch: Watch, side: int) -> Shown | None:
    """The newest there is, at most ``side`` pixels a side. Blocking."""
    if watch.newest is None:
        return None
    frame, faces = watch.newest_judged or (watch.newest, [])
    return Shown(frame.captured_at, jpeg(frame.image, side, _QUALITY), faces)
