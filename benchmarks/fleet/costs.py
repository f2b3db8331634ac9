"""What a stream costs, as ``fakelight bench live --json`` and ``benchmarks.gpu_capacity --json``
measured it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RATE = 10.0  # frames a second that the benchmark sends of each stream
_BATCH = 32  # the most that the stream server joins


@dataclass(frozen=True)
class Costs:
    """Of one frame with one face: processor seconds, and bytes in and out. ``stream_mb`` is what a
    further stream adds to the server's memory, ``base_mb`` what it takes without any. ``None``
    where it was not measured: memory takes two numbers of streams. ``runs`` are the measurements
    themselves."""

    machine: str
    frame_s: float
    base_mb: float | None
    stream_mb: float | None
    bytes_in: float | None
    bytes_out: float | None
    runs: tuple[Mapping[str, Any], ...]

    @property
    def cores(self) -> int:
        """Of the machine that was measured."""
        return int(self.machine.split()[0])


def read(path: Path) -> Costs:
    """The costs at the largest number of streams that the machine kept up with, or else at the
    smallest that was measured.

    Raises ``ValueError`` for what is no such file.
    """
    try:
        figures = json.loads(path.read_text(encoding="utf-8"))
        runs = sorted(figures.get("runs", [figures]), key=lambda run: run["streams"])
        knee = figures.get("knee")
        chosen = next((run for run in runs if run["streams"] == knee), runs[0])
        frame_s = chosen["server_cores"] * chosen["seconds"] / chosen["verdicts"]
        few, many = runs[0], runs[-1]
        further = many["streams"] - few["streams"]
        stream_mb = base_mb = None
        if further:
            stream_mb = (many["memory_mb_peak"] - few["memory_mb_peak"]) / further
            base_mb = few["memory_mb_peak"] - few["streams"] * stream_mb
        return Costs(
            machine=chosen["machine"],
            frame_s=frame_s,
            base_mb=base_mb,
            stream_mb=stream_mb,
            bytes_in=chosen.get("bytes_per_frame"),
            bytes_out=chosen.get("bytes_per_verdict"),
            runs=tuple(runs),
        )
    except (ValueError, LookupError, TypeError, AttributeError, ZeroDivisionError) as error:
        said = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{path} is not what `fakelight bench live --json` writes ({said})"
        ) from None


def gpu_share(path: Path, looks: Mapping[str, float], windows_per_s: float) -> float:
    """The part of one device that one face takes: ``looks`` a second through each member's encoder
    and ``windows_per_s`` through each of their heads, at the largest batch that is joined.

    Raises ``ValueError`` where a member was not measured.
    """
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"]

    def rate(model: str) -> float:
        found = [row for row in rows if row["model"] == model and row["batch"] == _BATCH]
        if not found:
            raise ValueError(f"{path} has no {model} at batch {_BATCH}")
        return max(float(row["per_second"]) for row in found)

    return sum(
        each / rate(f"{member}_encoder") + windows_per_s / rate(f"{member}_sequence")
        for member, each in looks.items()
    )
