"""How long a client is without verdicts when its server is asked to stop.

``python -m benchmarks.drain``: two servers behind nginx as in ``deploy/proxy``; clients at ten
frames a second, all of them at the server that stops. The gap is from a client's last verdict
there to its first one at the other, and to the first with a probability.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx2 as httpx

from stream_server import resources
from stream_server.bench.live import sample_frames
from tests.support.client import Visit, play_on
from tests.support.replicas import Replicas, running_replicas
from tests.support.server import TOKEN


async def measure(replicas: Replicas, streams: int, picture: bytes) -> list[tuple[float, float]]:
    """The two gaps of ``streams`` clients in seconds."""
    everyone: list[list[Visit]] = [[] for _ in range(streams)]
    playing = [asyncio.create_task(play_on(replicas, picture, one)) for one in everyone]
    await _until(lambda: all(visits and len(visits[0].scored) > 5 for visits in everyone))
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
        counts = [len((await http.get(f"{one.url}/v1/streams")).json()) for one in replicas.servers]
    stopping = replicas.servers[counts.index(max(counts))]
    await asyncio.to_thread(stopping.stop)
    await _until(lambda: all(len(visits) > 1 and visits[-1].scored for visits in everyone))
    for task in playing:
        task.cancel()
    await asyncio.gather(*playing, return_exceptions=True)
    return [
        (visits[-1].verdicts[0] - last, visits[-1].scored[0] - last)
        for visits in everyone
        for last in visits[0].verdicts[-1:]
    ]


async def _until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(120):
        while not done():  # noqa: ASYNC110 - what it waits for is a client's, who knows no event
            await asyncio.sleep(0.1)


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=4)
    options = parser.parse_args()
    picture = sample_frames()[0]
    with (
        tempfile.TemporaryDirectory() as folder,
        running_replicas(
            Path(folder), "nginx", "--models", str(resources.models_dir())
        ) as replicas,
    ):
        gaps = asyncio.run(measure(replicas, options.streams, picture))
    print(f"streams {options.streams}")
    for name, values in zip(("verdict", "probability"), zip(*gaps, strict=True), strict=True):
        print(f"to_a_{name}_s median {statistics.median(values):.2f} longest {max(values):.2f}")


if __name__ == "__main__":
    main()
