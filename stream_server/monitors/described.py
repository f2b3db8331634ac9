"""Monitors and incidents as the HTTP interface shows them, in answers and in events."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from stream_server.monitors import reasons
from stream_server.monitors.source import PUSHED
from stream_server.monitors.status import Status
from stream_server.monitors.store.tables import Incident, Monitor
from stream_server.redaction import without_secrets

_SILENT = 20.0  # seconds without a word of its watcher after which nobody watches a monitor


def described_monitor(monitor: Monitor, status: Status | None = None) -> dict[str, Any]:
    """``status`` is how it stands where it is watched in this process."""
    if status is None or monitor.paused:
        status = _written(monitor)
    pushed = monitor.url == PUSHED
    return {
        "id": monitor.id,
        "name": monitor.name,
        "url": PUSHED if pushed else without_secrets(monitor.url),
        "push_to": f"/whip?monitor={monitor.id}" if pushed else None,
        "sample_hz": monitor.sample_hz,
        "evidence": monitor.evidence,
        "paused": monitor.paused,
        "created": monitor.created,
        "state": status.state,
        "reason": status.reason,
        "reason_parts": reasons.parts(status.reason),
        "since": status.since,
        "faces": status.faces,
        "lag_s": None if status.lag_s is None else round(status.lag_s, 3),
    }


def described_incident(incident: Incident, evidence: Iterable[str] = ()) -> dict[str, Any]:
    """``evidence`` are the kinds of what is kept of it."""
    return {
        "id": incident.id,
        "monitor": incident.monitor,
        "monitor_name": incident.monitor_name,
        "track": incident.track,
        "opened_at": incident.opened_at,
        "closed_at": incident.closed_at,
        "media_start_s": round(incident.media_start_s, 3),
        "media_end_s": round(incident.media_end_s, 3),
        "peak": round(incident.peak, 4),
        "mean": round(incident.mean, 4),
        "verdict": incident.verdict,
        "members": {name: round(value, 4) for name, value in incident.members.items()},
        "box": [round(edge, 5) for edge in incident.box],
        "acknowledged": incident.acknowledged,
        "wrong": incident.wrong,
        "note": incident.note,
        "marked_by": incident.marked_by,
        "marked_at": incident.marked_at,
        "evidence": list(evidence),
    }


def _written(monitor: Monitor) -> Status:
    """As its last watcher wrote it down."""
    if monitor.paused:
        return Status("paused", "", monitor.since)
    heard = monitor.since if monitor.seen_at is None else monitor.seen_at
    # Whoever watched it has left off where it failed, and has no more to say.
    if monitor.state != "failed" and time.time() - heard > _SILENT:
        return Status("connecting", "no server watches it at the moment", heard)
    return Status(
        monitor.state,  # type: ignore[arg-type]  # written from a Status
        monitor.reason,
        monitor.since,
        monitor.faces,
        monitor.lag_s,
    )
