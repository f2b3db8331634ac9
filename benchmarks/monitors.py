"""What monitors cost: several live streams of 720p30 in one server.

``python -m benchmarks.monitors [--count N] [--seconds S | --minutes M] [--sample-hz HZ]
[--source file|hls|udp]`` plays a clip with one face at its own speed: from a file, or as ``ffmpeg``
sends it, by HLS over HTTP or as MPEG-TS over UDP. It prints as JSON how long verdicts come after
their pictures (from the server's own histogram, so every verdict counts), what share of the
pictures was analysed, and what the server and its readers took of cores and memory. ``memory``
tells whether that is flat: the line through the second half of the run, in MB an hour, and the
memory at each tenth of it. ``--json PATH`` keeps every reading.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from prometheus_client.parser import text_string_to_metric_families

from stream_server.bench.server import ServerProcess, start_server
from tests.support.files_server import files_server
from tests.support.live_servers import played
from tests.support.scan_media import every, moving_face, write_video

WARM_UP = 10.0  # seconds
_CLIP = 20.0
_EVERY = 1.0
_LAG = "fakelight_monitor_verdict_seconds"


@dataclass(frozen=True)
class Reading:
    """Resident memory in MB at ``at`` seconds, and the load of the machine's last minute."""

    at: float
    server_mb: float
    readers_mb: float
    readers: int
    load: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--sample-hz", type=float, default=5.0)
    parser.add_argument("--source", choices=("file", "hls", "udp"), default="file")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    seconds = options.seconds if options.minutes is None else 60 * options.minutes
    with tempfile.TemporaryDirectory(prefix="fakelight-") as name, ExitStack() as stack:
        folder = Path(name)
        picture = moving_face((1280, 720))
        chosen = {"preset": "fast", "g": "60"}
        clip = write_video(folder / "clip.mp4", picture, every(30, _CLIP), options=chosen)
        urls = [
            stack.enter_context(served(options.source, clip, folder / str(number)))
            for number in range(options.count)
        ]
        settings = {
            "FAKELIGHT_STATE_DIR": str(folder / "state"),
            "FAKELIGHT_MONITOR_FILES": name,
            "FAKELIGHT_MONITOR_HOSTS": "127.0.0.1",
        }
        server = start_server(environment={**os.environ, **settings}, log=folder / "log")
        try:
            for url in urls:
                body = {"url": url, "sample_hz": options.sample_hz}
                ask(server, "POST", "/v1/monitors", body)
            time.sleep(WARM_UP)
            found, readings = measure(server, seconds)
        finally:
            server.stop()
    about = {"monitors": options.count, "sample_hz": options.sample_hz, "source": options.source}
    print(json.dumps({**about, **found}, indent=2))
    if options.json is not None:
        kept = {**about, **found, "readings": [asdict(one) for one in readings]}
        options.json.write_text(json.dumps(kept))


@contextmanager
def served(source: str, clip: Path, folder: Path) -> Iterator[str]:
    """The address at which ``clip`` is played over and over."""
    folder.mkdir()
    with ExitStack() as stack:
        if source == "file":
            yield f"file://{clip}"
        elif source == "hls":
            site = stack.enter_context(files_server(folder))
            more = ("-hls_time", "2", "-hls_list_size", "5", "-hls_flags", "delete_segments")
            stack.enter_context(played(clip, "hls", str(folder / "live.m3u8"), *more))
            yield f"{site}/live.m3u8"
        else:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"udp://127.0.0.1:{probe.getsockname()[1]}"
            stack.enter_context(played(clip, "mpegts", f"{address}?pkt_size=1316"))
            yield address


def measure(server: ServerProcess, seconds: float) -> tuple[dict[str, Any], list[Reading]]:
    """The figures of one run, and what was read on the way."""
    states: dict[str, int] = {}
    began, cores, before = time.monotonic(), used(server), metrics(server)
    readings = [reading(server, 0.0)]
    while (at := time.monotonic() - began) < seconds:
        for one in ask(server, "GET", "/v1/monitors"):
            said = f"{one['state']} {one['reason']}".strip()
            states[said] = states.get(said, 0) + 1
        readings.append(reading(server, at))
        time.sleep(_EVERY)
    took = time.monotonic() - began
    after = metrics(server)
    verdicts = after[f"{_LAG}_count",] - before[f"{_LAG}_count",]
    figures = {
        "seconds": round(took, 1),
        "states": dict(sorted(states.items())),
        "lag_s": lags(before, after),
        "verdicts_per_second": round(verdicts / took, 2),
        "cores": round((used(server) - cores) / took, 2),
        "load": round(float(np.mean([one.load for one in readings])), 1),
        "memory": memory(readings),
    }
    return figures, readings


def lags(before: Mapping[Any, float], after: Mapping[Any, float]) -> dict[str, float | None]:
    """Quantiles from the buckets of the server's histogram, as Prometheus reckons them, and the
    share of verdicts that came within a second."""
    bounds = sorted(float(key[1]) for key in after if key[0] == f"{_LAG}_bucket")
    counts = [
        after[key] - before[key]
        for bound in bounds
        for key in after
        if key[0] == f"{_LAG}_bucket" and float(key[1]) == bound
    ]
    total = counts[-1]
    if not total:
        return {"p50": None, "p95": None, "within_1_s": None}
    edges = [0.0, *bounds[:-1], bounds[-2]]

    def quantile(share: float) -> float:
        return round(float(np.interp(share * total, [0.0, *counts], edges)), 3)

    within = counts[bounds.index(1.0)] / total
    return {"p50": quantile(0.5), "p95": quantile(0.95), "within_1_s": round(within, 4)}


def memory(readings: list[Reading]) -> dict[str, Any]:
    """How the memory of the server and of its readers went, in MB."""
    half = readings[len(readings) // 2 :]
    hours = [one.at / 3600 for one in half]
    tenths = [readings[round(i * (len(readings) - 1) / 10)] for i in range(11)]
    found: dict[str, Any] = {}
    for part in ("server_mb", "readers_mb"):
        slope = np.polyfit(hours, [getattr(one, part) for one in half], 1)[0]
        found[part] = {
            "tenths": [round(getattr(one, part)) for one in tenths],
            "slope_mb_per_hour": round(float(slope), 1),
        }
    return found


def reading(server: ServerProcess, at: float) -> Reading:
    """What is held now."""
    top, *readers = family(server)
    held = [resident(one) for one in readers]
    return Reading(at, resident(top), sum(held), len(held), os.getloadavg()[0])


def resident(process: psutil.Process) -> float:
    """Megabytes; none of one that has ended."""
    try:
        return float(process.memory_info().rss / 2**20)
    except psutil.NoSuchProcess:
        return 0.0


def family(server: ServerProcess) -> list[psutil.Process]:
    """The server and its readers."""
    top = psutil.Process(server.process.pid)
    return [top, *top.children(recursive=True)]


def used(server: ServerProcess) -> float:
    """Seconds of processor time so far."""
    return float(sum(sum(one.cpu_times()[:2]) for one in family(server)))


def metrics(server: ServerProcess) -> dict[tuple[str, ...], float]:
    """Values by the sample's name and its labels' values."""
    text = asked(server, "GET", "/metrics").decode()
    return {
        (sample.name, *sample.labels.values()): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
    }


def ask(server: ServerProcess, method: str, path: str, body: Any = None) -> Any:
    """The JSON of an answer."""
    return json.loads(asked(server, method, path, body))


def asked(server: ServerProcess, method: str, path: str, body: Any = None) -> bytes:
    """An answer's body."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(server.url + path, data, method=method)
    request.add_header("Authorization", f"Bearer {server.token}")
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


if __name__ == "__main__":
    main()
