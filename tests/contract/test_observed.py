"""The real Prometheus over the real server and the real Triton, which goes away."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from scripts.dashboard import ROWS
from tests.contract.test_serve_with_triton import Player, portrait, scored
from tests.support.client import client
from tests.support.prometheus_server import PROMETHEUS, running_prometheus
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


async def test_an_outage_of_triton_is_seen_and_alarmed_and_every_drawing_has_its_data(
    breakable: TritonServer, portrait: bytes, tmp_path: Path
) -> None:
    arguments = ("--models", str(breakable.models), "--engine", "triton")
    environment = {"FAKELIGHT_METRICS_TOKEN": SCRAPER}
    with running_server(
        *arguments, "--triton-url", breakable.url, environment=environment
    ) as server:
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
