"""``fakelight bench scan``: how long a scan takes, beside the naive way, in one run.

Both are whole processes of their own, from a cold start to the result, on the same clip: 10 s at
30 frames per second and 1280x720, made from the sample clip. The scan, which is over so soon that
one run says little, runs three times around the naive way, and the middle one counts. ``--long``
adds ten minutes of 1080p for the scan alone.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from stream_server import __version__, resources
from stream_server.ingest.files.video import VideoFile

_RATE = 30


def bench_scan(long: bool, json_path: str | None, seconds: int = 10) -> int:
    """Run the measurement, print it, and write it to ``json_path`` (``-`` is stdout).

    ``seconds`` is the length of the short clip.
    """
    with tempfile.TemporaryDirectory(prefix="fakelight-bench-") as name:
        folder = Path(name)
        clip = _clip(folder / "clip.mp4", (1280, 720), seconds)
        figures: dict[str, Any] = {
            "version": __version__,
            "machine": f"{os.cpu_count()} x {platform.machine()}",
            "clip": f"{seconds} s, {_RATE} frames/s, 1280x720",
        }
        scans = [_scan(clip, folder / "report.json")]
        naive = _naive(clip)
        scans += [_scan(clip, folder / "report.json") for _ in range(2)]
        scans.sort(key=lambda one: float(one["seconds"]))
        figures |= {"scan": scans[1], "scans": [one["seconds"] for one in scans], "naive": naive}
        scan_s, naive_s = scans[1]["seconds"], naive["seconds"]
        figures["times_faster"] = round(naive_s / scan_s, 1)
        if long:
            tenth = _clip(folder / "tenth.mp4", (1920, 1080), 10)
            film = _repeated(tenth, folder / "film.mp4", 60)
            figures["long_clip"] = "10 minutes, 30 frames/s, 1920x1080"
            figures["long_scan"] = _scan(film, folder / "long.json")
    text = json.dumps(figures, indent=2) + "\n"
    if json_path == "-":
        sys.stdout.write(text)
        return 0
    if json_path:
        Path(json_path).write_text(text, encoding="utf-8")
    _print(figures)
    return 0


def _scan(clip: Path, report: Path) -> dict[str, Any]:
    arguments = ["-m", "stream_server.cli", "scan", str(clip)]
    figures, _ = _measured([*arguments, "--json", str(report), "--fail-on", "never"])
    found = json.loads(report.read_text(encoding="utf-8"))
    return figures | {"analysed": found["analysed"], "probability": found["probability"]}


def _naive(clip: Path) -> dict[str, Any]:
    figures, out = _measured(["-m", "stream_server.bench.naive", str(clip)])
    figures.update(json.loads(out))
    return figures


def _measured(arguments: Sequence[str]) -> tuple[dict[str, Any], str]:
    """Seconds from start to end, processor seconds and peak memory of a Python process.

    Raises ``RuntimeError`` with what it said where it fails.
    """
    begun = time.monotonic()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as out:
        process = subprocess.Popen([sys.executable, *arguments], stdout=out)
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            used: dict[str, Any] = {
                "processor_seconds": round(usage.ru_utime + usage.ru_stime, 2),
                # Linux counts kilobytes, macOS bytes.
                "memory_mb": round(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)),
            }
        else:
            process.wait()
            used = {}
        seconds = time.monotonic() - begun
        out.seek(0)
        said = out.read()
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)} ended with status {process.returncode}: {said}")
    return {"seconds": round(seconds, 2), **used}, said


def _clip(target: Path, size: tuple[int, int], seconds: int) -> Path:
    """The sample clip, enlarged, with a little camera noise so that it compresses like a film."""
    noise = np.random.default_rng(0).integers(-4, 5, (size[1], size[0], 1), np.int16)
    sample = VideoFile(resources.sample_clip(), "the sample clip")
    with av.open(str(target), "w") as output:
        stream: Any = output.add_stream("libx264", rate=_RATE)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "23"}
        for number, frame in enumerate(sample.every_frame()):
            if number == seconds * _RATE:
                break
            large = cv2.resize(frame.image, size)
            moved = np.roll(noise, 37 * number, axis=1)
            grainy = np.clip(large.astype(np.int16) + moved, 0, 255).astype(np.uint8)
            output.mux(stream.encode(av.VideoFrame.from_ndarray(grainy, format="rgb24")))
        output.mux(stream.encode())
    return target


def _repeated(source: Path, target: Path, times: int) -> Path:
    """``source`` several times over, by copying its packets."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream = given.streams.video[0]
        made = output.add_stream_from_template(stream)
        packets = [packet for packet in given.demux(stream) if packet.size]
        for number in range(times):
            for packet in packets:
                copy = av.Packet(bytes(packet))
                shift = number * int(stream.duration or 0)
                copy.pts, copy.dts = (packet.pts or 0) + shift, (packet.dts or 0) + shift
                copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                copy.stream = made
                output.mux_one(copy)
    return target


def _print(figures: dict[str, Any]) -> None:
    lines = [f"fakelight {figures['version']}, {figures['machine']}", f"{figures['clip']}:"]
    for name, key in (("fakelight scan", "scan"), ("the naive way", "naive")):
        lines.append(f"  {name:16} {_line(figures[key])}")
    runs = ", ".join(f"{one:.2f}" for one in figures["scans"])
    lines.append(f"  the scan's runs: {runs} s; the middle one counts")
    lines.append(f"  {figures['times_faster']} times faster")
    if "long_scan" in figures:
        lines += [
            f"{figures['long_clip']}:",
            f"  {'fakelight scan':16} {_line(figures['long_scan'])}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")


def _line(one: dict[str, Any]) -> str:
    parts = [f"{one['seconds']:8.2f} s"]
    if "memory_mb" in one:
        parts.append(f"{one['processor_seconds']:8.2f} processor seconds, {one['memory_mb']} MB")
    if one.get("probability") is not None:
        parts.append(f"probability {one['probability']:.2f}")
    return ", ".join(parts)
