"""Whether a server's memory stays flat: viewers come and go for half an hour.

``python -m benchmarks.soak --streams 8 --minutes 30 --json soak.json``: a server of its own with so
many streams all the time, each of which ends after half a minute to two and makes room for another
(``--stay 5 15``: after so many seconds, which shows sooner what viewers leave behind).
Every ten seconds the server's resident memory is read. Printed are the means of each tenth of the
time and how fast it grew over the second half, by least squares: models, thread pools and the
allocator's own arenas fill in the first.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from websockets.exceptions import ConnectionClosed

from stream_server.bench.live import Viewer, sample_frames, view
from stream_server.bench.server import ServerProcess, own_server

_EVERY = 10.0  # seconds between two looks at the memory
_STAY = (30.0, 120.0)  # seconds that a viewer stays


def growth(times: Sequence[float], megabytes: Sequence[float]) -> float:
    """Megabytes an hour over the second half of the readings; ``times`` are in seconds.

    Raises ``ValueError`` for fewer than four readings.
    """
    if len(times) < 4:
        raise ValueError(f"{len(times)} readings; at least 4 are needed to tell a trend")
    half = len(times) // 2
    return float(np.polyfit(times[half:], megabytes[half:], 1)[0]) * 3600


def tenths(megabytes: Sequence[float]) -> list[float]:
    """The mean of each tenth of the readings; of as many parts as there are, where they are few."""
    parts = np.array_split(np.asarray(megabytes), min(10, len(megabytes)))
    return [round(float(part.mean()), 1) for part in parts]


async def soak(
    server: ServerProcess, streams: int, seconds: float, stay: tuple[float, float] = _STAY
) -> dict[str, object]:
    """Keep ``streams`` viewers on ``server`` for so long, each for ``stay`` seconds (from, to); the
    figures."""
    frames, chance = sample_frames(), random.Random(0)
    measuring, over = asyncio.Event(), asyncio.Event()
    measuring.set()
    gone: list[Viewer] = []
    staying: set[asyncio.Event] = set()

    async def seat(number: int) -> None:
        while not over.is_set():
            viewer, leaves = Viewer(), asyncio.Event()
            staying.add(leaves)
            asyncio.get_running_loop().call_later(chance.uniform(*stay), leaves.set)
            try:
                await view(server, viewer, frames, number / streams / 10, measuring, leaves)
            except (ConnectionClosed, OSError) as error:  # on a busy machine; another comes
                viewer.errors.append(str(error))
                await asyncio.sleep(1)
            staying.remove(leaves)
            gone.append(viewer)

    seats = [asyncio.create_task(seat(number)) for number in range(streams)]
    begun, times, memory = time.monotonic(), [], []
    while (elapsed := time.monotonic() - begun) < seconds:
        now = server.memory_mb()
        if now is None:
            raise RuntimeError("this system does not tell how much memory a process has")
        times.append(elapsed)
        memory.append(now)
        await asyncio.sleep(min(_EVERY, seconds))
        for one in seats:
            if one.done():
                one.result()
    over.set()
    for leaves in staying:
        leaves.set()
    await asyncio.gather(*seats)
    return {
        "streams": streams,
        "minutes": round(seconds / 60, 1),
        "viewers_that_left": len(gone),
        "verdicts": sum(viewer.verdicts for viewer in gone),
        "errors": sorted({error for viewer in gone for error in viewer.errors}),
        "memory_mb_by_tenths": tenths(memory),
        "memory_mb_peak": round(max(memory), 1),
        "growth_mb_per_hour": round(growth(times, memory), 1),
    }


def main() -> None:
    """Measure once and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--stay", type=float, nargs=2, default=_STAY, metavar=("FROM", "TO"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with own_server(environment={**os.environ, "FAKELIGHT_MAX_STREAMS": "1024"}) as server:
        figures = asyncio.run(
            soak(server, options.streams, 60 * options.minutes, (options.stay[0], options.stay[1]))
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    for name, value in figures.items():
        print(f"{name:22} {value}")


if __name__ == "__main__":
    main()
