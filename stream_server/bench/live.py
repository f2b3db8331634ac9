"""``fakelight bench live``: how long a verdict takes, and what the server uses for it.

A server process of its own gets N streams over real sockets, each 640x360 JPEG frames of the
sample clip at the server's sample rate. The lag is from sending a frame to receiving its verdict,
measured at the client, which shares the machine. Of several N each has a server of its own, and the
knee is the largest at which nobody has to wait.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

from PIL import Image as Pillow
from websockets.asyncio.client import ClientConnection, connect

from stream_server import __version__, protocol, resources
from stream_server.bench.server import ServerProcess, own_server
from stream_server.ingest.files.media import WHOLE, ReadCounts
from stream_server.ingest.files.video import VideoFile

_RATE = 10.0
_KEEPS_UP = 0.9  # of its rate
_PROMPT_MS = 250.0
_COLUMNS = (
    ("streams", "streams"),
    ("lag p50 ms", "lag_p50_ms"),
    ("lag p95 ms", "lag_p95_ms"),
    ("slowest /s", "verdicts_per_s_slowest"),
    ("fastest /s", "verdicts_per_s_fastest"),
    ("cores", "server_cores"),
    ("memory MB", "memory_mb_peak"),
)
_WARM_UP = 3.0  # seconds: models, first detections and first windows are not the steady state


@dataclass
class Viewer:
    """What one stream saw while it was measured."""

    lags: list[float] = field(default_factory=list)
    sent: int = 0
    sent_bytes: int = 0
    told_bytes: int = 0
    verdicts: int = 0
    scored: int = 0
    errors: list[str] = field(default_factory=list)


def bench_live(streams: Sequence[int], seconds: float, json_path: str | None) -> int:
    """Run the measurement, print it, and write it to ``json_path`` (``-`` is stdout).

    ``streams`` are numbers of streams, measured one after the other. The figures of one number are
    a flat object; those of several are in ``runs``, beside ``knee``.

    Raises ``ValueError`` for fewer than one stream or a time that is not positive.
    """
    if not streams or min(streams) < 1 or seconds <= 0:
        told = ", ".join(map(str, streams))
        raise ValueError(f"{told} streams for {seconds} s; at least 1 and more than 0 s needed")
    frames = sample_frames()
    runs = [_run(frames, count, seconds) for count in streams]
    figures = runs[0] if len(runs) == 1 else {"runs": runs, "knee": knee(runs)}
    text = json.dumps(figures, indent=2) + "\n"
    if json_path == "-":
        sys.stdout.write(text)
        return 0
    if json_path:
        Path(json_path).write_text(text, encoding="utf-8")
    sys.stdout.write("\n".join(_lines(runs)) + "\n")
    return 0


def knee(runs: Sequence[Mapping[str, Any]]) -> int | None:
    """The largest number of streams up to which each run kept everybody's rate and lag.

    ``runs`` are figures as ``bench_live`` gives them; ``None`` where not even the smallest did.
    """
    carried = None
    for run in sorted(runs, key=lambda run: run["streams"]):
        lag = run["lag_p95_ms"]
        if run["verdicts_per_s_slowest"] < _KEEPS_UP * _RATE or lag is None or lag > _PROMPT_MS:
            break
        carried = run["streams"]
    return carried


def _run(frames: list[bytes], streams: int, seconds: float) -> dict[str, Any]:
    limit = str(max(streams, 32))
    with own_server(environment={**os.environ, "FAKELIGHT_MAX_STREAMS": limit}) as server:
        return asyncio.run(_measure(server, frames, streams, seconds))


def _lines(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(runs) == 1:
        return [f"{name:24} {value}" for name, value in runs[0].items()]
    lines = [f"fakelight {runs[0]['version']}, {runs[0]['machine']}"]
    lines.append("".join(f"{title:>14}" for title, _ in _COLUMNS))
    for run in runs:
        lines.append("".join(f"{_cell(run[name]):>14}" for _, name in _COLUMNS))
    found = knee(runs)
    told = "fewer than were measured" if found is None else f"{found} streams"
    lines.append(
        f"the knee: {told} (over {_KEEPS_UP * _RATE:g} verdicts/s for each, "
        f"p95 under {_PROMPT_MS:g} ms)"
    )
    return lines


def _cell(value: object) -> str:
    return "unknown" if value is None else str(value)


def sample_frames() -> list[bytes]:
    """The sample clip at ten pictures a second, as a browser would send them."""
    pictures = []
    sample = VideoFile(resources.sample_clip(), "the sample clip")
    for _, frame in sample.read(WHOLE, _RATE, ReadCounts()):
        encoded = io.BytesIO()
        Pillow.fromarray(frame.image).save(encoded, "JPEG", quality=80)
        pictures.append(encoded.getvalue())
    return pictures


async def _measure(
    server: ServerProcess, frames: list[bytes], streams: int, seconds: float
) -> dict[str, Any]:
    clients = [Viewer() for _ in range(streams)]
    measuring = asyncio.Event()
    done = asyncio.Event()
    tasks = [
        asyncio.create_task(view(server, client, frames, i / streams / _RATE, measuring, done))
        for i, client in enumerate(clients)
    ]
    await asyncio.sleep(_WARM_UP)
    measuring.set()
    started, cpu, memory = time.monotonic(), server.cpu_seconds(), [server.memory_mb()]
    while time.monotonic() - started < seconds:
        await asyncio.sleep(min(1.0, seconds))
        memory.append(server.memory_mb())
    elapsed, cpu_after = time.monotonic() - started, server.cpu_seconds()
    done.set()
    await asyncio.gather(*tasks)
    known = [value for value in memory if value is not None]
    lags = sorted(lag for client in clients for lag in client.lags)
    quarter = max(len(known) // 4, 1)
    return {
        "version": __version__,
        "machine": f"{os.cpu_count()} x {platform.machine()}",
        "streams": streams,
        "seconds": round(elapsed, 1),
        "ready_s": round(server.ready_s, 2),
        "frames_sent": sum(client.sent for client in clients),
        "verdicts": sum(client.verdicts for client in clients),
        "with_probability": sum(client.scored for client in clients),
        "bytes_per_frame": _mean(sum(c.sent_bytes for c in clients), sum(c.sent for c in clients)),
        "bytes_per_verdict": _mean(
            sum(c.told_bytes for c in clients), sum(c.verdicts for c in clients)
        ),
        "verdicts_per_s_slowest": round(min(c.verdicts for c in clients) / elapsed, 2),
        "verdicts_per_s_fastest": round(max(c.verdicts for c in clients) / elapsed, 2),
        "verdicts_per_s_median": round(statistics.median(c.verdicts for c in clients) / elapsed, 2),
        "lag_p50_ms": _percentile(lags, 0.5),
        "lag_p95_ms": _percentile(lags, 0.95),
        "lag_p99_ms": _percentile(lags, 0.99),
        "server_cores": None
        if cpu is None or cpu_after is None
        else round((cpu_after - cpu) / elapsed, 3),
        "memory_mb_first_quarter": round(statistics.mean(known[:quarter]), 1) if known else None,
        "memory_mb_last_quarter": round(statistics.mean(known[-quarter:]), 1) if known else None,
        "memory_mb_peak": round(max(known), 1) if known else None,
        "errors": sorted({error for client in clients for error in client.errors}),
    }


async def view(
    server: ServerProcess,
    client: Viewer,
    frames: list[bytes],
    offset: float,
    measuring: asyncio.Event,
    done: asyncio.Event,
) -> None:
    """Send ``frames`` over and over to ``server`` until ``done``, ``offset`` seconds later than
    others, and note in ``client`` what comes of it while ``measuring``."""
    url = f"ws://127.0.0.1:{server.port}/v1/stream"
    async with connect(url, subprotocols=[protocol.SUBPROTOCOL], compression=None) as socket:  # type: ignore[list-item]
        await socket.send(json.dumps({"type": "hello", "protocol": 1, "token": server.token}))
        await socket.recv()
        reader = asyncio.create_task(_read(socket, client, measuring))
        await asyncio.sleep(offset)  # real viewers do not start in step
        begun = time.monotonic()
        for number, picture in enumerate(cycle(frames)):
            due = begun + number / _RATE
            await asyncio.sleep(max(due - time.monotonic(), 0))
            if done.is_set():
                break
            client.sent += measuring.is_set()
            header = {
                "frame_id": number,
                "media_time": number / _RATE,
                "captured_at": time.monotonic() * 1000,
                "width": 640,
                "height": 360,
            }
            message = protocol.pack_frame(header, picture)
            client.sent_bytes += len(message) * measuring.is_set()
            await socket.send(message)
        reader.cancel()


async def _read(socket: ClientConnection, client: Viewer, measuring: asyncio.Event) -> None:
    async for text in socket:
        message = json.loads(text)
        if not measuring.is_set():
            continue
        if message["type"] == "verdict":
            client.lags.append(time.monotonic() * 1000 - message["captured_at"])
            client.verdicts += 1
            client.told_bytes += len(text)
            client.scored += any(face["probability"] is not None for face in message["faces"])
        elif message["type"] == "error":
            client.errors.append(message["message"])


def _mean(total: int, count: int) -> int | None:
    return round(total / count) if count else None


def _percentile(ordered: list[float], share: float) -> float | None:
    return round(ordered[min(int(share * len(ordered)), len(ordered) - 1)], 1) if ordered else None
