"""Every metric there is: its name, its labels and all that these may say.

Names by Prometheus' conventions (https://prometheus.io/docs/practices/naming). A label's values are
written down here or come from the model repository, which is the operator's. None is taken from
what a client sends: a stranger who could choose one could fill the memory with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from stream_server.live import DropReason
from stream_server.verdict import Verdict
from stream_server.vision.quality import REASONS

Kind = Literal["counter", "gauge", "histogram"]
Values = tuple[str, ...]

MODEL: Values = ()
"""The values of a label that come from the model repository."""

LAG = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0)
SHORT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
LONG = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0)
ROWS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0)

ENGINES: Values = ("embedded", "triton")
BATCHED: Values = ("crops", "windows")


@dataclass(frozen=True)
class Described:
    """One metric. A histogram has ``buckets``, the upper edges."""

    name: str
    kind: Kind
    help: str
    labels: Mapping[str, Values] = field(default_factory=dict)
    buckets: tuple[float, ...] = ()


_PER_MODEL = {"engine": ENGINES, "model": MODEL, "member": MODEL}

STREAMS = (
    Described("fakelight_streams", "gauge", "Open streams"),
    Described(
        "fakelight_streams_closed_total",
        "counter",
        "Streams that ended, by why",
        {"reason": ("normal", "not_authorised", "over_limit", "stopping")},
    ),
    Described(
        "fakelight_frames_total",
        "counter",
        "Frames of streams, by what became of them; refused are messages answered with an error",
        {"result": ("received", "analysed", "dropped", "refused")},
    ),
    Described(
        "fakelight_frames_dropped_total",
        "counter",
        "Frames of streams and monitors that were not analysed, by why",
        {"reason": get_args(DropReason)},
    ),
    Described(
        "fakelight_verdict_seconds",
        "histogram",
        "Seconds from a frame's arrival to its verdict",
        buckets=LAG,
    ),
)
FACES = (
    Described("fakelight_faces", "gauge", "Faces that open streams follow just now"),
    Described(
        "fakelight_face_verdicts_total",
        "counter",
        "Faces in analysed frames, by verdict",
        {"verdict": get_args(Verdict)},
    ),
    Described(
        "fakelight_face_abstentions_total",
        "counter",
        "Faces in analysed frames without enough evidence, by what is in the way; one may have"
        " several reasons",
        {"reason": (*REASONS, "too_few_pictures")},
    ),
)
ENGINE = (
    Described(
        "fakelight_batch_queue_seconds",
        "histogram",
        "Seconds that a stream's call waits to go into a batch",
        {"kind": BATCHED},
        SHORT,
    ),
    Described(
        "fakelight_engine_batches_total",
        "counter",
        "Micro-batches sent to the engine",
        {"kind": BATCHED},
    ),
    Described(
        "fakelight_engine_rows_total",
        "counter",
        "Crops and windows in those batches",
        {"kind": BATCHED},
    ),
    Described(
        "fakelight_model_queue_seconds",
        "histogram",
        "Seconds that a call waits for a worker of the embedded engine",
        _PER_MODEL,
        SHORT,
    ),
    Described(
        "fakelight_model_run_seconds",
        "histogram",
        "Seconds that one run of a model takes; with Triton, one call with its way there and back",
        _PER_MODEL,
        SHORT,
    ),
    Described(
        "fakelight_model_batch_rows",
        "histogram",
        "Crops or windows in one run of a model",
        _PER_MODEL,
        ROWS,
    ),
    Described(
        "fakelight_engine_fallback", "gauge", "1 while the embedded engine stands in for Triton"
    ),
    Described(
        "fakelight_engine_calls_total",
        "counter",
        "Calls to Triton and its stand-in, and what came of watching Triton; none without Triton",
        {
            "result": (
                "primary_calls",
                "primary_failures",
                "primary_busy",
                "standby_calls",
                "fallbacks",
                "returns",
                "probes",
                "probes_failed",
            )
        },
    ),
)
DOORS = (
    Described(
        "fakelight_pairings_total",
        "counter",
        "Pairings with browsers, by what became of them",
        {"result": ("started", "paired", "wrong_digits", "expired", "refused", "ended")},
    ),
    Described(
        "fakelight_refusals_total",
        "counter",
        "Requests and streams that were turned away, by why",
        {
            "reason": (
                "foreign_host",
                "foreign_origin",
                "no_token",
                "viewer",
                "too_large",
                "too_slow",
                "too_many_connections",
                "bad_hello",
                "not_authorised",
                "protocol_not_supported",
                "over_limit",
                "stopping",
                "try_again_later",
            )
        },
    ),
    Described(
        "fakelight_http_responses_total",
        "counter",
        "Answers over HTTP, by the class of their status",
        {"status": ("1xx", "2xx", "3xx", "4xx", "5xx")},
    ),
)
FILES = (
    Described(
        "fakelight_scans_waiting", "gauge", "Files that wait for their scan, when last counted"
    ),
    Described("fakelight_scans_running", "gauge", "Files that are scanned just now"),
    Described(
        "fakelight_scans_total",
        "counter",
        "Scans that ended, by how",
        {"result": ("done", "failed", "cancelled")},
    ),
    Described("fakelight_scan_seconds", "histogram", "Seconds that one scan takes", buckets=LONG),
)
WATCH = (
    Described(
        "fakelight_monitors",
        "gauge",
        "Monitors, by state",
        {"state": ("connecting", "watching", "stalled", "paused", "failed")},
    ),
    Described(
        "fakelight_monitor_verdict_seconds",
        "histogram",
        "Seconds from when a monitor's reader took a picture in to its verdict",
        buckets=LAG,
    ),
    Described(
        "fakelight_incidents_total",
        "counter",
        "Incidents that this process told of; each of several servers tells of all",
        {"change": ("opened", "closed")},
    ),
    Described(
        "fakelight_webhook_attempts_total",
        "counter",
        "Attempts to deliver an alert: delivered, failed (tried again later), dead (given up)",
        {"result": ("delivered", "failed", "dead")},
    ),
)
SERVER = (
    Described("fakelight_build_info", "gauge", "Always 1; which version it is", {"version": MODEL}),
)

GROUPS: Mapping[str, tuple[Described, ...]] = {
    "Streams and frames": STREAMS,
    "Faces": FACES,
    "The networks": ENGINE,
    "Who gets in": DOORS,
    "Scans": FILES,
    "Monitors and alerts": WATCH,
    "The server": SERVER,
}
CATALOGUE: Mapping[str, Described] = {one.name: one for group in GROUPS.values() for one in group}
