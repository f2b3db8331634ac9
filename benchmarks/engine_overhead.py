"""What Triton costs per call, against the embedded engine, in one run on one machine.

    python -m benchmarks.engine_overhead [--models DIR] [--calls 200] [--json PATH]

Starts the real tritonserver (scripts/triton_env.sh first) on the same models. The calls of the
engines take turns, so that whatever else the machine does falls on all of them alike. Then a
stream runs at ten samples a second while Triton is killed, and the longest gap between two of
its verdicts is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from stream_server.engine import (
    EmbeddedEngine,
    Engine,
    FallbackEngine,
    MicroBatcher,
    ModelRepository,
    TritonEngine,
)
from stream_server.engine.repository import example_inputs
from tests.support.triton_server import TritonServer, triton_missing

ROOT = Path(__file__).resolve().parent.parent
CASES = [("face_features", 1), ("face_features", 4), ("face_features", 8)]
CASES += [("sequence_verdict", 1), ("sequence_verdict", 8)]


async def overhead(repository: ModelRepository, url: str, calls: int) -> list[dict[str, Any]]:
    """Median milliseconds a call, per case and engine, and what Triton adds."""
    engines: dict[str, Engine] = {
        "embedded": EmbeddedEngine(repository),
        "triton_shared_memory": TritonEngine(repository, url, timeout=30, shared_memory=True),
        "triton_messages": TritonEngine(repository, url, timeout=30, shared_memory=False),
    }
    rows = []
    for model, batch in CASES:
        inputs = example_inputs(repository.models[model], batch)
        times: dict[str, list[float]] = {name: [] for name in engines}
        for call in range(calls + 10):
            for name, engine in engines.items():
                began = time.perf_counter()
                await engine.infer(model, inputs)
                if call >= 10:  # the first ones load models and register memory
                    times[name].append((time.perf_counter() - began) * 1e3)
        row: dict[str, Any] = {"model": model, "batch": batch}
        for name, values in times.items():
            for percent in (10, 50, 95):
                value = float(np.percentile(values, percent))
                row[f"{name}_p{percent}_ms"] = round(value, 2)
        base = row["embedded_p50_ms"]
        row["added_ms"] = round(row["triton_shared_memory_p50_ms"] - base, 2)
        # On a machine that is busy with other things the quick tenth says more than the median.
        row["added_p10_ms"] = round(row["triton_shared_memory_p10_ms"] - row["embedded_p10_ms"], 2)
        row["ratio"] = round(row["triton_shared_memory_p50_ms"] / base, 2)
        rows.append(row)
    for engine in engines.values():
        await engine.close()
    return rows


async def failover(repository: ModelRepository, server: TritonServer) -> dict[str, Any]:
    """Longest gap between verdicts of one stream around Triton's death, in seconds."""
    engine = FallbackEngine(TritonEngine(repository, server.url), EmbeddedEngine(repository))
    batcher = MicroBatcher(engine)
    crop = np.full((1, *repository.crop_shape), 90, np.uint8)
    landmarks = np.ones((1, 10), np.float32) if repository.uses_landmarks else None
    at: list[float] = []
    killed = 0.0
    for sample in range(60):
        features = await batcher.features(crop)
        await batcher.verdicts(features, landmarks)
        at.append(time.perf_counter())
        if sample == 30:
            killed = time.perf_counter()
            await asyncio.to_thread(server.kill)
        await asyncio.sleep(0.1)
    gaps = [(b - a, a) for a, b in itertools.pairwise(at)]
    before = max(gap for gap, begin in gaps if begin < killed - 0.2)
    around = max(gap for gap, begin in gaps if begin >= killed - 0.2)
    result = {
        "longest_gap_before_s": round(before, 3),
        "longest_gap_after_kill_s": round(around, 3),
        "engine_at_the_end": engine.engine_in_use,
    }
    await batcher.close()
    await engine.close()
    return result


def main() -> int:
    """Measure and print; 2 when there is no Triton to measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=Path, default=ROOT / "triton_models")
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    reason = triton_missing()
    if reason:
        print(reason)
        return 2
    repository = ModelRepository.load(options.models)
    with tempfile.TemporaryDirectory() as folder:
        server = TritonServer(options.models.resolve(), Path(folder) / "triton.log")
        server.start()
        try:
            rows = asyncio.run(overhead(repository, server.url, options.calls))
            gap = asyncio.run(failover(repository, server))
        finally:
            server.stop()
    for row in rows:
        print(
            f"{row['model']:17} batch {row['batch']}: embedded {row['embedded_p50_ms']:.2f} ms, "
            f"Triton {row['triton_shared_memory_p50_ms']:.2f} ms by shared memory and "
            f"{row['triton_messages_p50_ms']:.2f} by messages: +{row['added_ms']:.2f} ms, "
            f"times {row['ratio']:.2f} (p50); +{row['added_p10_ms']:.2f} ms at p10"
        )
    print(
        f"Triton killed under one stream: longest gap between verdicts "
        f"{gap['longest_gap_after_kill_s']:.2f} s (before: {gap['longest_gap_before_s']:.2f} s)"
    )
    if options.json:
        options.json.write_text(json.dumps({"overhead": rows, "failover": gap}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
