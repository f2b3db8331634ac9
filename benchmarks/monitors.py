"""What monitors cost: several live streams of 720p30 in one server.

``python -m benchmarks.monitors [--count N] [--seconds S] [--sample-hz HZ]`` plays a clip with one
face from a file at its own speed, and prints as JSON how far verdicts lag behind their pictures,
what share of the samples was analysed, and what the server took of cores and memory, its readers
included.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from stream_server.bench.server import ServerProcess, start_server
from tests.support.scan_media import every, moving_face, write_video

WARM_UP = 10.0  # seconds
_CLIP = 20.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--sample-hz", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fakelight-") as name:
        folder = Path(name)
        picture = moving_face((1280, 720))
        times = every(30, _CLIP)
        clip = write_video(
            folder / "clip.mp4", picture, times, options={"preset": "fast", "g": "60"}
        )
        state = {"FAKELIGHT_STATE_DIR": str(folder / "state"), "FAKELIGHT_MONITOR_FILES": name}
        server = start_server(environment={**os.environ, **state}, log=folder / "log")
        try:
            print(json.dumps(measure(server, clip, options), indent=2))
        finally:
            server.stop()


def measure(server: ServerProcess, clip: Path, options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one run."""
    new = {"url": f"file://{clip}", "sample_hz": options.sample_hz}
    for _ in range(options.count):
        ask(server, "POST", "/v1/monitors", new)
    time.sleep(WARM_UP)
    lags: list[float] = []
    states: set[str] = set()
    began, cores, memory = time.monotonic(), used(server), [held(server)]
    while time.monotonic() - began < options.seconds:
        for one in ask(server, "GET", "/v1/monitors"):
            states.add(f"{one['state']} {one['reason']}".strip())
            if one["lag_s"] is not None:
                lags.append(one["lag_s"])
        memory.append(held(server))
        time.sleep(1)
    took = time.monotonic() - began
    lags.sort()
    return {
        "monitors": options.count,
        "sample_hz": options.sample_hz,
        "seconds": round(took, 1),
        "states": sorted(states),
        "lag_s": {
            "p50": lags[len(lags) // 2] if lags else None,
            "p95": lags[int(0.95 * len(lags))] if lags else None,
        },
        "cores": round((used(server) - cores) / took, 2),
        "memory_mb": {"first": round(memory[0]), "last": round(memory[-1])},
    }


def ask(server: ServerProcess, method: str, path: str, body: Any = None) -> Any:
    """The JSON of an answer."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, method=method)
    request.add_header("Authorization", f"Bearer {server.token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def family(server: ServerProcess) -> list[psutil.Process]:
    """The server and its readers."""
    top = psutil.Process(server.process.pid)
    return [top, *top.children(recursive=True)]


def used(server: ServerProcess) -> float:
    """Seconds of processor time so far."""
    return sum(sum(one.cpu_times()[:2]) for one in family(server))


def held(server: ServerProcess) -> float:
    """Resident megabytes."""
    return sum(one.memory_info().rss for one in family(server)) / 2**20


if __name__ == "__main__":
    main()
