"""Counts what happens and shows it, as ``catalogue`` describes it; one registry a server."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from itertools import product
from typing import Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from stream_server import __version__, tracing
from stream_server.engine import Engine, MicroBatcher
from stream_server.engine.joiner import BatchStats
from stream_server.live import Counters, DropReason
from stream_server.protocol import Close
from stream_server.server.metrics.catalogue import CATALOGUE, MODEL, Described
from stream_server.session import Session
from stream_server.stream import Face

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for every counter, which nobody reads
_MODELS_OF_MEMBER = ("_encoder", "_sequence", "_map")


class OpenStreams(Protocol):
    """The streams that are open; ``server.registry`` has them."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Session]: ...

    def counters(self) -> Counters:
        """Frames of all streams since the start."""


class Metrics(Collector):
    """What ``/metrics`` shows. What can be read when asked is not kept twice: ``show`` says where.

    Without ``show`` there is nothing of streams and engines in it.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._streams: OpenStreams | None = None
        self._engine: Engine | None = None
        self._batcher: MicroBatcher | None = None
        self._members: dict[str, str] = {}
        self._monitors: Callable[[], Mapping[str, int]] = dict
        self.registry.register(self)
        for process in (ProcessCollector, PlatformCollector, GCCollector):
            process(registry=self.registry)
        self._lag = self._histogram("fakelight_verdict_seconds")
        self._verdicts = self._counter("fakelight_face_verdicts_total")
        self._abstentions = self._counter("fakelight_face_abstentions_total")
        self._drops = self._counter("fakelight_frames_dropped_total")
        self._closed = self._counter("fakelight_streams_closed_total")
        self._batch_queue = self._histogram("fakelight_batch_queue_seconds")
        self._model_queue = self._histogram("fakelight_model_queue_seconds")
        self._model_run = self._histogram("fakelight_model_run_seconds")
        self._model_rows = self._histogram("fakelight_model_batch_rows")
        self._of_model: dict[tuple[str, str], tuple[Histogram, Histogram, Histogram]] = {}
        self._pairings = self._counter("fakelight_pairings_total")
        self._refusals = self._counter("fakelight_refusals_total")
        self._responses = self._counter("fakelight_http_responses_total")
        self._waiting = self._gauge("fakelight_scans_waiting")
        self._running = self._gauge("fakelight_scans_running")
        self._scans = self._counter("fakelight_scans_total")
        self._scan_seconds = self._histogram("fakelight_scan_seconds")
        self._monitor_lag = self._histogram("fakelight_monitor_verdict_seconds")
        self._incidents = self._counter("fakelight_incidents_total")
        self._attempts = self._counter("fakelight_webhook_attempts_total")

    def show(self, streams: OpenStreams, engine: Engine, batcher: MicroBatcher) -> None:
        """Show these from now on, and hear of the engine's runs."""
        self._streams, self._engine, self._batcher = streams, engine, batcher
        self._members = {
            model: member
            for member in engine.repository.members
            for model in (member + part for part in _MODELS_OF_MEMBER)
        }
        engine.observe(self)
        batcher.observe(self.batch_queued)

    def watch(self, monitors: Callable[[], Mapping[str, int]]) -> None:
        """Show how many monitors there are in each state, as ``monitors`` says when asked."""
        self._monitors = monitors

    def observe(self, lag: float, faces: list[Face]) -> None:
        """Count an analysed frame: ``lag`` in seconds, and its faces."""
        self._lag.observe(lag, tracing.exemplar())
        for face in faces:
            self._verdicts.labels(face.verdict).inc()
            for reason in face.reasons:
                self._abstentions.labels(reason).inc()

    def dropped(self, reason: DropReason) -> None:
        """Count a frame that is not analysed."""
        self._drops.labels(reason).inc()

    def closed(self, code: Close) -> None:
        """Count a stream that ended."""
        self._closed.labels(code.name.lower()).inc()

    def batch_queued(self, kind: str, seconds: float) -> None:
        """Count a call's wait for its batch; ``kind``: crops or windows."""
        self._batch_queue.labels(kind).observe(seconds)

    def queued(self, engine: str, model: str, seconds: float) -> None:
        """Count a call's wait for a worker of an engine; see ``engine.RunObserver``."""
        self._model(engine, model)[0].observe(seconds)

    def ran(self, engine: str, model: str, rows: int, seconds: float) -> None:
        """Count a run of a model; see ``engine.RunObserver``."""
        _, run, batch = self._model(engine, model)
        run.observe(seconds)
        batch.observe(rows)

    def pairing(self, result: str) -> None:
        """Count what became of a pairing."""
        self._pairings.labels(result).inc()

    def refused(self, reason: str) -> None:
        """Count a request or a stream that is turned away."""
        self._refusals.labels(reason).inc()

    def answered(self, status: int) -> None:
        """Count an answer over HTTP by its ``status``, 100 to 599."""
        self._responses.labels(f"{status // 100}xx").inc()

    def scans(self, waiting: int, running: int) -> None:
        """How many files wait for a scan and how many are scanned."""
        self._waiting.set(waiting)
        self._running.set(running)

    def scanned(self, result: str, seconds: float) -> None:
        """Count a scan that ended: done, failed or cancelled."""
        self._scans.labels(result).inc()
        self._scan_seconds.observe(seconds)

    def observe_monitor(self, lag: float) -> None:
        """Count a verdict of a monitor: ``lag`` in seconds, from its picture's arrival."""
        self._monitor_lag.observe(max(lag, 0.0))

    def incident(self, change: str) -> None:
        """Count an incident that was opened or closed."""
        self._incidents.labels(change).inc()

    def observe_attempt(self, result: str) -> None:
        """Count an attempt to deliver an alert; ``result``: delivered, failed or dead."""
        self._attempts.labels(result).inc()

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """The exposition and its media type, in the format that an ``Accept`` header asks for."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def collect(self) -> Iterable[Metric]:
        return self._families()

    def _families(self) -> Iterator[Metric]:
        version = CATALOGUE["fakelight_build_info"]
        yield _gauge_family(version, {(__version__,): 1})
        monitors = CATALOGUE["fakelight_monitors"]
        counts = self._monitors()
        yield _gauge_family(
            monitors, {(state,): counts.get(state, 0) for state in monitors.labels["state"]}
        )
        if self._streams is not None:
            frames = asdict(self._streams.counters())
            yield _counter_family(
                CATALOGUE["fakelight_frames_total"],
                {(result,): count for result, count in frames.items()},
            )
            yield _gauge_family(CATALOGUE["fakelight_streams"], {(): len(self._streams)})
            followed = sum(len(session.live.faces) for session in self._streams)
            yield _gauge_family(CATALOGUE["fakelight_faces"], {(): followed})
        if self._batcher is not None:
            stats: dict[tuple[str, ...], BatchStats] = {
                ("crops",): self._batcher.crop_stats,
                ("windows",): self._batcher.window_stats,
            }
            for name, field in (("batches", "batches"), ("rows", "rows")):
                yield _counter_family(
                    CATALOGUE[f"fakelight_engine_{name}_total"],
                    {kind: getattr(one, field) for kind, one in stats.items()},
                )
        if self._engine is not None:
            yield _gauge_family(CATALOGUE["fakelight_engine_fallback"], {(): self._engine.fallback})
            yield _counter_family(
                CATALOGUE["fakelight_engine_calls_total"],
                {(result,): count for result, count in self._engine.counts().items()},
            )

    def _model(self, engine: str, model: str) -> tuple[Histogram, Histogram, Histogram]:
        known = self._of_model.get((engine, model))
        if known is None:
            labels = (engine, model, self._members.get(model, ""))
            known = self._of_model[engine, model] = (
                self._model_queue.labels(*labels),
                self._model_run.labels(*labels),
                self._model_rows.labels(*labels),
            )
        return known

    def _counter(self, name: str) -> Counter:
        one = CATALOGUE[name]
        counter = Counter(name, one.help, list(one.labels), registry=self.registry)
        _begin(one, counter)
        return counter

    def _gauge(self, name: str) -> Gauge:
        one = CATALOGUE[name]
        return Gauge(name, one.help, list(one.labels), registry=self.registry)

    def _histogram(self, name: str) -> Histogram:
        one = CATALOGUE[name]
        histogram = Histogram(
            name, one.help, list(one.labels), buckets=one.buckets, registry=self.registry
        )
        _begin(one, histogram)
        return histogram


def _begin(one: Described, instrument: Counter | Histogram) -> None:
    """Show zeros from the start: a rate needs to have seen them."""
    if one.labels and MODEL not in one.labels.values():
        for values in product(*one.labels.values()):
            instrument.labels(*values)


def _gauge_family(one: Described, values: Mapping[tuple[str, ...], float]) -> Metric:
    family = GaugeMetricFamily(one.name, one.help, labels=list(one.labels))
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family


def _counter_family(one: Described, values: Mapping[tuple[str, ...], float]) -> Metric:
    family = CounterMetricFamily(one.name, one.help, labels=list(one.labels))
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
