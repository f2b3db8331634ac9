"""What Triton costs per call, against the embedded engine, in one run on one machine.

    python -m benchmarks.engine_overhead [--models DIR] [--calls 200] [--json PATH]

Starts the real tritonserver (scripts/triton_env.sh first) on the same models. Everything that is
compared takes turns, in a new order every round, so that whatever else the machine does falls on
all of it alike; a difference is the median of the differences within the rounds. Measured are

    embedded   the embedded engine, on this environment's ONNX Runtime
    elsewhere  the embedded engine in another process, on the ONNX Runtime that Triton has
    wire       one gRPC call with a ready request over inputs that lie in shared memory
    triton     the Triton engine, as it comes
    messages   the Triton engine without shared memory

so that ``elsewhere`` minus ``embedded`` is the older ONNX Runtime, ``wire`` minus ``elsewhere``
what is between the processes and inside Triton, and ``triton`` minus ``wire`` our own client.
Last, a stream runs at ten samples a second while Triton is killed, and the longest gap between
two of its verdicts is taken.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import numpy as np
import onnxruntime as ort
from tritonclient.grpc import service_pb2, service_pb2_grpc

from benchmarks.embedded_elsewhere import Elsewhere
from stream_server.engine import EmbeddedEngine, Engine, MicroBatcher, ModelRepository
from stream_server.engine.fallback import FallbackEngine
from stream_server.engine.shared_memory import Region
from stream_server.engine.spec import Arrays, example_inputs
from stream_server.engine.triton import TritonEngine
from stream_server.engine.triton_wire import INFER, RequestWriter
from tests.support.triton_server import VENV, TritonServer, triton_missing

ROOT = Path(__file__).resolve().parent.parent
CASES = [("face_features", 1), ("face_features", 2), ("face_features", 4), ("face_features", 8)]
CASES += [("sequence_verdict", 1), ("sequence_verdict", 8)]
WARM_UP = 10
#: What is added: by what, the later minus the earlier of two measured things.
STEPS = {
    "added": ("triton", "embedded"),
    "added_by_runtime": ("elsewhere", "embedded"),
    "added_between_processes": ("wire", "elsewhere"),
    "added_by_client": ("triton", "wire"),
    "added_net_of_runtime": ("triton", "elsewhere"),
}


class Wire:
    """gRPC calls to Triton with nothing around them."""

    def __init__(self, url: str) -> None:
        self._channel = grpc.aio.insecure_channel(url)
        self._infer = self._channel.unary_unary(INFER)
        self._stub = service_pb2_grpc.GRPCInferenceServiceStub(self._channel)
        self._region = Region(16 << 20)
        self._request = b""

    async def prepare(self, model: str, inputs: Arrays) -> None:
        """Lay the inputs down and write the request that ``call`` will send."""
        name = self._region.name
        await self._stub.SystemSharedMemoryUnregister(
            service_pb2.SystemSharedMemoryUnregisterRequest(name=name)
        )
        await self._stub.SystemSharedMemoryRegister(
            service_pb2.SystemSharedMemoryRegisterRequest(
                name=name, key=f"/{name}", byte_size=self._region.size
            )
        )
        self._region.write(inputs.values())
        self._request = RequestWriter(30).reference(model, inputs, name)

    async def call(self) -> None:
        """Send it and leave the answer unread."""
        await self._infer(self._request, timeout=30)

    async def close(self) -> None:
        """Close the channel; the memory goes with it."""
        await self._channel.close()
        self._region.close()


async def overhead(
    repository: ModelRepository, url: str, elsewhere: Elsewhere, calls: int
) -> list[dict[str, Any]]:
    """Milliseconds a call, per case and way, and what Triton adds where."""
    engines: dict[str, Engine] = {
        "embedded": EmbeddedEngine(repository),
        "triton": TritonEngine(repository, url, timeout=30),
        "messages": TritonEngine(repository, url, timeout=30, shared_memory=False),
    }
    wire = Wire(url)
    order = random.Random(0)
    rows = []
    for model, batch in CASES:
        inputs = example_inputs(repository.models[model], batch)
        await wire.prepare(model, inputs)
        times: dict[str, list[float]] = {way: [] for way in (*engines, "elsewhere", "wire")}
        for _ in range(calls + WARM_UP):  # the first ones load models and register memory
            for way in order.sample(list(times), len(times)):
                began = time.perf_counter()
                if way == "elsewhere":  # which has a clock of its own
                    times[way].append(elsewhere.call(model, batch) * 1e3)
                    continue
                await (wire.call() if way == "wire" else engines[way].infer(model, inputs))
                times[way].append((time.perf_counter() - began) * 1e3)
        rows.append({"model": model, "batch": batch, **summary(times)})
    for engine in engines.values():
        await engine.close()
    await wire.close()
    return rows


def summary(times: dict[str, list[float]]) -> dict[str, float]:
    """Percentiles of every way, and of what lies between them, in milliseconds."""
    arrays = {way: np.array(values[WARM_UP:]) for way, values in times.items()}
    row: dict[str, float] = {}
    for way, values in arrays.items():
        for percent in (10, 50, 95):
            row[f"{way}_p{percent}_ms"] = round(float(np.percentile(values, percent)), 2)
    for step, (later, earlier) in STEPS.items():
        row[f"{step}_ms"] = round(float(np.median(arrays[later] - arrays[earlier])), 2)
        # On a machine that is busy with other things the quick tenth says more than the median.
        quick = np.percentile(arrays[later], 10) - np.percentile(arrays[earlier], 10)
        row[f"{step}_p10_ms"] = round(float(quick), 2)
    return row


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
        "engine_at_the_end": engine.in_use,
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
    load = os.getloadavg()[0]
    elsewhere = Elsewhere(options.models.resolve(), VENV)
    with tempfile.TemporaryDirectory() as folder:
        server = TritonServer(options.models.resolve(), Path(folder) / "triton.log")
        server.start()
        try:
            rows = asyncio.run(overhead(repository, server.url, elsewhere, options.calls))
            gap = asyncio.run(failover(repository, server))
        finally:
            server.stop()
            elsewhere.close()
    print(f"ONNX Runtime {ort.__version__} here, {elsewhere.version} behind Triton; ms, p50 (p10)")
    for row in rows:
        print(f"{row['model']}, batch {row['batch']}")
        for way in ("embedded", "elsewhere", "wire", "triton", "messages"):
            print(f"  {way:24} {row[f'{way}_p50_ms']:7.2f} ({row[f'{way}_p10_ms']:.2f})")
        for step in STEPS:
            print(f"  {step:24} {row[f'{step}_ms']:+7.2f} ({row[f'{step}_p10_ms']:+.2f})")
    print(
        f"Triton killed under one stream: longest gap between verdicts "
        f"{gap['longest_gap_after_kill_s']:.2f} s (before: {gap['longest_gap_before_s']:.2f} s)"
    )
    print(f"load of the machine: {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    if options.json:
        options.json.write_text(json.dumps({"overhead": rows, "failover": gap}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
