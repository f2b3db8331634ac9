"""What seeing costs: metrics, the log as JSON, traces and a scraper, against none of it.

``python -m benchmarks.observability``: two servers take turns under the same streams. One counts
nothing, logs nothing and traces nothing; the other does all of it, its metrics are scraped every
second and a collector takes its traces. What is compared is the processor time of an analysed
frame. Before that, what one frame's own calls take is measured by itself, which other work on the
machine does not drown.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2 as httpx

from stream_server import tracing
from stream_server.bench.live import sample_frames
from stream_server.bench.server import ServerProcess
from stream_server.server.metrics import Metrics
from stream_server.stream import Face
from tests.support.client import Visit, play_on
from tests.support.collector import collecting
from tests.support.server import TOKEN, start_server

_WARM_UP = 4.0
# Run before the server: nothing is counted and no engine is observed.
_BARE = """
from stream_server.server.metrics import Metrics
from stream_server.server.answers import CountAnswers
for name in ("observe", "dropped", "closed", "refused", "scans", "scanned", "observe_monitor"):
    setattr(Metrics, name, lambda *given: None)
Metrics.show = lambda *given: None
"""


def bare_site(folder: Path) -> str:
    """A folder for PYTHONPATH that makes a server bare."""
    (folder / "sitecustomize.py").write_text(
        "import sys\nif 'serve' in sys.orig_argv:\n"
        + "".join(f"    {line}\n" for line in _BARE.strip().splitlines())
    )
    return str(folder)


async def cost(server: ServerProcess, streams: int, seconds: float, scraped: bool) -> float:
    """Processor milliseconds of one analysed frame."""
    picture = sample_frames()[0]
    everyone: list[list[Visit]] = [[] for _ in range(streams)]
    tasks: list[asyncio.Task[Any]] = [
        asyncio.create_task(play_on(server, picture, visits)) for visits in everyone
    ]
    if scraped:
        tasks.append(asyncio.create_task(_scrape(server)))
    await asyncio.sleep(_WARM_UP)
    cpu, frames = server.cpu_seconds() or 0, _verdicts(everyone)
    await asyncio.sleep(seconds)
    spent, analysed = (server.cpu_seconds() or 0) - cpu, _verdicts(everyone) - frames
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return 1000 * spent / analysed


def calls(frames: int = 20_000) -> float:
    """Processor milliseconds of what one frame of one face with three members counts and traces,
    by itself: the part of the whole that other work on the machine does not drown."""
    metrics = Metrics()
    face = Face(1, (0.0, 0.0, 1.0, 1.0), 0.9, "likely_fake", 20, (), {})
    began = time.process_time()
    for number in range(frames):
        with tracing.span("frame", "server", since=time.monotonic(), stream="a", frame=number):
            places = [tracing.here()]
            for name in ("decode", "look", "features", "verdicts"):
                with tracing.inner(name):
                    pass
            for kind, models in (("crops", 3), ("windows", 5)):
                metrics.batch_queued(kind, 0.001)
                with tracing.joined("batch", places, rows=1), tracing.inner("infer"):
                    metrics.queued("embedded", kind, 0.001)
                    for model in range(models):
                        metrics.ran("embedded", f"{kind}{model}", 1, 0.01)
            metrics.observe(0.05, [face])
    return 1000 * (time.process_time() - began) / frames


def scrape(times: int = 50) -> float:
    """Processor milliseconds of one answer to a scraper."""
    metrics = Metrics()
    began = time.process_time()
    for _ in range(times):
        metrics.text()
    return 1000 * (time.process_time() - began) / times


def _verdicts(everyone: list[list[Visit]]) -> int:
    return sum(len(visit.verdicts) for visits in everyone for visit in visits)


async def _scrape(server: ServerProcess) -> None:
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        while True:
            await http.get(f"{server.url}/metrics")
            await asyncio.sleep(1)


def main() -> None:
    """Measure, print each turn and the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--turns", type=int, default=4)
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        collector = stack.enter_context(collecting())
        seeing = {
            "FAKELIGHT_LOG_FORMAT": "json",
            "FAKELIGHT_TRACES_URL": collector.url,
            "FAKELIGHT_TRACES_SHARE": "0.01",
        }
        tracing.start(collector.url, 0.01)
        print(f"calls of one frame {calls():.3f} ms, one scrape {scrape():.1f} ms", flush=True)
        tracing.stop()
        (folder / "site").mkdir()
        path = os.pathsep.join([bare_site(folder / "site"), *sys.path])
        bare = {"FAKELIGHT_LOG_LEVEL": "error", "PYTHONPATH": path}
        servers = {
            name: start_server(folder / name, environment=environment)
            for name, environment in (("off", bare), ("on", seeing))
        }
        for server in servers.values():
            stack.callback(server.stop)
        found: dict[str, list[float]] = {"off": [], "on": []}
        for turn in range(options.turns):
            for name in ("off", "on") if turn % 2 == 0 else ("on", "off"):
                figure = asyncio.run(
                    cost(servers[name], options.streams, options.seconds, name == "on")
                )
                found[name].append(figure)
                print(f"{name:4} {figure:.2f} ms of processor a frame", flush=True)
    off, on = (statistics.median(found[name]) for name in ("off", "on"))
    print(f"median off {off:.2f} on {on:.2f}: {100 * (on / off - 1):+.1f} %")


if __name__ == "__main__":
    main()
