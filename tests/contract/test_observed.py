"""The real Prometheus over the real server and the real Triton, which goes away."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from scripts.dashboard import ROWS
from tests.contract.test_serve_with_triton import Player, portrait, scored
from tests.support.client import client
from tests.support.collector import collecting
from tests.support.prometheus_server import PROMETHEUS, Prometheus, running_prometheus
from tests.support.server import running_server
from tests.support.triton_server import TritonServer

__all__ = ["portrait"]
pytestmark = [
    pytest.mark.server,
    pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus here (Debian: prometheus)"),
]
SCRAPER = "opens-the-metrics-alone"
# Of what nothing happened in this run: a division by zero, or a histogram without a sample.
QUIET = re.compile(r"scan_seconds|monitor_verdict_seconds|model_queue_seconds")


async def seen(done: Any) -> None:
    """Wait until ``done`` says so; the patience is for a busy machine."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(done):
            await asyncio.sleep(0.2)


def drawn() -> list[str]:
    """Each expression of the dashboard as Grafana would ask it."""
    return [
        expr.replace("$__rate_interval", "1m").replace("$instance", ".*")
        for row in ROWS.values()
        for panel in row
        for expr, _ in panel.drawn
    ]


def whole(trace: list[Span]) -> bool:
    """Whether a trace leads from a frame's arrival through Triton to its verdict."""
    by_id = {span.span_id: span for span in trace}

    def above(span: Span) -> list[str]:
        parent = by_id.get(span.parent_span_id)
        return [] if parent is None else [*above(parent), parent.name]

    ways = {(*above(span), span.name, *told(span)) for span in trace}
    return ways >= {
        ("frame",),
        ("frame", "decode"),
        ("frame", "look"),
        ("frame", "features", "batch", "infer", "triton", "face_features"),
        ("frame", "verdicts", "batch", "infer", "triton", "sequence_verdict"),
    }


def told(span: Span) -> list[str]:
    values = {one.key: one.value.string_value for one in span.attributes}
    return [values[key] for key in ("engine", "model") if key in values]


def exemplars(prometheus: Prometheus) -> set[str]:
    """The traces that the lag is tied to."""
    asked = {"query": "fakelight_verdict_seconds_bucket", "start": "0", "end": "9999999999"}
    found = prometheus.ask("query_exemplars", **asked)
    return {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}


async def test_an_outage_of_triton_is_seen_and_alarmed_and_every_drawing_has_its_data(
    breakable: TritonServer, portrait: bytes, tmp_path: Path
) -> None:
    arguments = ("--models", str(breakable.models), "--engine", "triton")
    with (
        collecting() as collector,
        running_server(
            *arguments,
            "--triton-url",
            breakable.url,
            environment={
                "FAKELIGHT_METRICS_TOKEN": SCRAPER,
                "FAKELIGHT_TRACES_URL": collector.url,
                "FAKELIGHT_TRACES_SHARE": "1",
            },
        ) as server,
    ):
        targets = {
            "fakelight": f"127.0.0.1:{server.port}",
            "triton": f"127.0.0.1:{breakable.metrics_port}",
        }
        with running_prometheus(tmp_path, targets, SCRAPER) as prometheus:
            async with client(server) as one:
                player = Player(one, portrait)
                await player.until(lambda p: len(p.verdicts) > 50 and scored(p.verdicts[-1]))
                frames = 'fakelight_frames_total{result="analysed"} > 50'
                await seen(lambda: prometheus.value(frames))
                await seen(lambda: not prometheus.firing())
                for expr in drawn():
                    found = partial(prometheus.value, expr)
                    if QUIET.search(expr):
                        await asyncio.to_thread(found)  # nothing to draw, and no error
                    else:
                        await seen(found)
                await seen(lambda: any(whole(trace) for trace in collector.traces()))
                ids = {span.trace_id.hex() for span in list(collector.spans)}
                await seen(lambda: exemplars(prometheus) and exemplars(prometheus) <= ids)
                runs = await asyncio.to_thread(
                    prometheus.value, "fakelight_model_run_seconds_count"
                )
                assert {one["metric"]["engine"] for one in runs} == {"triton", "embedded"}
                await asyncio.to_thread(breakable.kill)
                await player.until(lambda p: p.statuses[-1]["fallback"])
                await seen(lambda: "FakelightFallback" in prometheus.firing())
                await asyncio.to_thread(breakable.start)
                await seen(lambda: "FakelightFallback" not in prometheus.firing())
        assert server.stop() == 0
