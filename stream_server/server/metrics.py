"""Prometheus metrics, one registry a server (https://prometheus.io/docs/practices/naming)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client import Counter as PrometheusCounter
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from stream_server.engine import Engine, MicroBatcher
from stream_server.server.registry import Registry
from stream_server.stream import Face

_LAG_BUCKETS = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 2, 5)
_MONITOR_STATES = ("connecting", "watching", "stalled", "paused", "failed")
_ATTEMPTS = ("delivered", "failed", "dead")


class Metrics(Collector):
    """What ``/metrics`` shows. Counts of open streams are read when asked, not kept twice."""

    def __init__(self, streams: Registry, engine: Engine, batcher: MicroBatcher) -> None:
        self._streams = streams
        self._engine = engine
        self._batcher = batcher
        self._monitors: Callable[[], Mapping[str, int]] = dict
        self.registry = CollectorRegistry()
        self.registry.register(self)
        self._lag = Histogram(
            "fakelight_verdict_seconds",
            "Seconds from a frame's arrival to its verdict",
            buckets=_LAG_BUCKETS,
            registry=self.registry,
        )
        self._verdicts = PrometheusCounter(
            "fakelight_face_verdicts",
            "Faces in analysed frames, by verdict",
            ["verdict"],
            registry=self.registry,
        )
        self._monitor_lag = Histogram(
            "fakelight_monitor_verdict_seconds",
            "Seconds from when a monitor's reader took a picture in to its verdict",
            buckets=_LAG_BUCKETS,
            registry=self.registry,
        )
        self._attempts = PrometheusCounter(
            "fakelight_webhook_attempts",
            "Attempts to deliver an alert: delivered, failed (tried again later), dead (given up)",
            ["result"],
            registry=self.registry,
        )
        for result in _ATTEMPTS:
            self._attempts.labels(result)  # a rate needs to have seen the zero

    def watch(self, monitors: Callable[[], Mapping[str, int]]) -> None:
        """Show how many monitors there are in each state, as ``monitors`` says when asked."""
        self._monitors = monitors

    def observe(self, lag: float, faces: list[Face]) -> None:
        """Count an analysed frame: ``lag`` in seconds, and its faces."""
        self._lag.observe(lag)
        for face in faces:
            self._verdicts.labels(face.verdict).inc()

    def observe_monitor(self, lag: float) -> None:
        """Count a verdict of a monitor: ``lag`` in seconds, from its picture's arrival."""
        self._monitor_lag.observe(max(lag, 0.0))

    def observe_attempt(self, result: str) -> None:
        """Count an attempt to deliver an alert; ``result``: delivered, failed or dead."""
        self._attempts.labels(result).inc()

    def text(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)

    def collect(self) -> Iterable[Metric]:
        return self._families()

    def _families(self) -> Iterator[Metric]:
        counted = CounterMetricFamily(
            "fakelight_frames", "Frames, by what became of them", labels=["result"]
        )
        for result, frames in asdict(self._streams.counters()).items():
            counted.add_metric([result], frames)
        yield counted
        yield GaugeMetricFamily("fakelight_streams", "Open streams", value=len(self._streams))
        monitors = GaugeMetricFamily("fakelight_monitors", "Monitors, by state", labels=["state"])
        counts = self._monitors()
        for state in _MONITOR_STATES:
            monitors.add_metric([state], counts.get(state, 0))
        yield monitors
        fallback = GaugeMetricFamily(
            "fakelight_engine_fallback",
            "1 while the embedded engine stands in for Triton",
            value=float(self._engine.fallback),
        )
        yield fallback
        batches = CounterMetricFamily(
            "fakelight_engine_batches", "Micro-batches sent to the engine", labels=["kind"]
        )
        rows = CounterMetricFamily(
            "fakelight_engine_rows", "Crops and windows in those batches", labels=["kind"]
        )
        for kind, stats in (
            ("crops", self._batcher.crop_stats),
            ("windows", self._batcher.window_stats),
        ):
            batches.add_metric([kind], stats.batches)
            rows.add_metric([kind], stats.rows)
        yield batches
        yield rows
        if called := self._engine.counts():
            calls = CounterMetricFamily(
                "fakelight_engine_calls", "Calls to Triton and its stand-in", labels=["result"]
            )
            for result, count in called.items():
                calls.add_metric([result], count)
            yield calls
