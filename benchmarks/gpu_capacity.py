"""Crops and windows per second of the ONNX models, against the chip's measured ceilings.

    python -m benchmarks.gpu_capacity [--models DIR] [--provider cuda|cpu] [--batches 1,2,4,...]
                                      [--seconds 2] [--json PATH]

Runs each member's encoder and sequence head with ONNX Runtime, fp32 and fp16, at batch 1 to 128.
On a CPU one thread is measured, in processor seconds. On CUDA the input starts in main memory, as
Triton gets it, so the copy is part of the figure.
The ceilings are measured the same way: a large matrix product, and a large elementwise addition
for the memory. Needs onnxruntime, onnx and numpy alone (onnxruntime-gpu for CUDA).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper

ROOT = Path(__file__).resolve().parent.parent
PROVIDERS = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}
FILES = {"fp32": "model.onnx", "fp16": "model.fp16.onnx"}
TENSOR = {"fp32": TensorProto.FLOAT, "fp16": TensorProto.FLOAT16}
_COUNTED = ("Conv", "MatMul", "Gemm", "LSTM", "GRU")
NUMPY = {"fp32": np.float32, "fp16": np.float16}


def open_session(model: Path | bytes, provider: str) -> ort.InferenceSession:
    """A session on one provider alone; fails if that provider is not there."""
    name = PROVIDERS[provider]
    if name not in ort.get_available_providers():
        raise SystemExit(
            f"{name} is not available; this ONNX Runtime has "
            f"{', '.join(ort.get_available_providers())}"
        )
    options = ort.SessionOptions()
    options.log_severity_level = 3
    if provider == "cpu":
        options.intra_op_num_threads = 1
    # As the repository's configs have it.
    settings = {"cudnn_conv_algo_search": "HEURISTIC"} if provider == "cuda" else {}
    source = model if isinstance(model, bytes) else str(model)
    return ort.InferenceSession(source, options, [(name, settings)])


def calls_per_second(call: Callable[[], Any], seconds: float, provider: str) -> float:
    """Calls a second in the best of ten stretches of ``seconds`` in all, after one to warm up.

    The best and not the mean: whatever else the machine does only ever takes away. On a CPU the
    seconds are processor seconds of the one thread, for the same reason.
    """
    clock = time.process_time if provider == "cpu" else time.perf_counter
    call()
    rates = []
    for _ in range(10):
        count, began = 0, clock()
        while (spent := clock() - began) < seconds / 10 or not count:
            call()
            count += 1
        rates.append(count / max(clock() - began, spent))
    return max(rates)


def flops(path: Path) -> float:
    """Multiplications and additions for a batch of one.

    Counts Conv, MatMul, Gemm, LSTM and GRU, where nearly all of the work is. The shapes are
    taken from a run with every tensor of interest as an output: graphs with Resize in them have
    sizes that shape inference does not find.
    """
    model = onnx.load(str(path))
    nodes = [n for n in model.graph.node if n.op_type in _COUNTED]
    known = {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}
    declared = {tensor.name for tensor in (*model.graph.input, *model.graph.output)}
    wanted = {name for n in nodes for name in (*n.input, n.output[0]) if name}
    extra = sorted(wanted - known.keys() - declared)
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in extra)
    options = ort.SessionOptions()
    options.log_severity_level = 3
    # Optimised graphs have other nodes, and their tensors other names.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    feed = example(session, 1)
    names = [tensor.name for tensor in session.get_outputs()]
    made = dict(zip(names, session.run(names, feed), strict=True)) | feed
    shapes = known | {name: list(array.shape) for name, array in made.items()}
    total = 0.0
    for node in nodes:
        first, second, *rest = (shapes.get(name, []) for name in node.input)
        out = shapes[node.output[0]] if node.output[0] else []
        if node.op_type == "Conv":
            total += 2 * np.prod(out) * np.prod(second[1:])
        elif node.op_type in ("LSTM", "GRU"):
            directions, gates, width = second
            total += 2 * first[0] * first[1] * directions * gates * (width + rest[0][-1])
        else:
            total += 2 * np.prod(out) * second[-2 if _plain(node) else -1]
    return float(total)


def _plain(node: onnx.NodeProto) -> bool:
    """Whether a product's second factor is stored as [inner, outer]."""
    return not any(a.name == "transB" and a.i for a in node.attribute)


def ceilings(provider: str, seconds: float) -> dict[str, float]:
    """The chip's matrix rate (TFLOP/s, fp32 and fp16) and memory rate (GB/s), as measured.

    Both loop inside one graph, so that neither calls nor copies to the device count.
    """
    side, repeat = (4096, 20) if provider == "cuda" else (768, 2)
    result = {}
    for kind in FILES if provider == "cuda" else ("fp32",):
        chain = _chain("MatMul", [side, side], repeat, TENSOR[kind])
        session = open_session(chain, provider)
        feed: dict[str, Any] = {"x": np.full((side, side), 1 / side, NUMPY[kind])}
        rate = calls_per_second(partial(session.run, ["y"], feed), seconds, provider)
        result[f"matrix_{kind}_tflops"] = rate * repeat * 2 * side**3 / 1e12
    elements = 2**26 if provider == "cuda" else 2**23
    session = open_session(_chain("Add", [elements], repeat, TensorProto.FLOAT), provider)
    feed = {"x": np.zeros(elements, np.float32)}
    rate = calls_per_second(lambda: session.run(["y"], feed), seconds, provider)
    result["memory_gb_per_s"] = rate * repeat * 3 * 4 * elements / 1e9  # two reads, one write
    return result


def _chain(operator: str, shape: list[int], repeat: int, kind: int) -> bytes:
    """y = op(...op(op(x, x), x)..., x), reduced to one number so that little is copied back."""
    names = ["x", *(f"t{i}" for i in range(repeat))]
    nodes = [helper.make_node(operator, [names[i], "x"], [names[i + 1]]) for i in range(repeat)]
    nodes.append(helper.make_node("ReduceMax", [names[-1]], ["y"], keepdims=0))
    graph = helper.make_graph(
        nodes,
        "ceiling",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, [])],
    )
    opsets = [helper.make_opsetid("", 17)]
    model: bytes = helper.make_model(graph, ir_version=8, opset_imports=opsets).SerializeToString()
    return model


def example(session: ort.InferenceSession, batch: int) -> dict[str, np.ndarray]:
    """Random inputs of a batch."""
    random = np.random.default_rng(0)
    feed: dict[str, np.ndarray] = {}
    for tensor in session.get_inputs():
        shape = [batch, *tensor.shape[1:]]
        if tensor.name == "FRAMES":
            feed[tensor.name] = random.integers(0, 256, shape, dtype=np.uint8)
        elif tensor.name == "LENGTH":
            feed[tensor.name] = np.full(shape, 20, np.int32)
        else:
            feed[tensor.name] = random.normal(size=shape).astype(np.float32)
    return feed


def measure(
    models: Path, provider: str, batches: list[int], seconds: float, limits: Mapping[str, float]
) -> list[dict[str, Any]]:
    """One row per model, precision and batch size."""
    rows = []
    for folder in sorted([*models.glob("*_encoder"), *models.glob("*_sequence")]):
        work = flops(folder / "1" / FILES["fp32"])
        for kind, name in FILES.items():
            path = folder / "1" / name
            # fp16 on a CPU is computed in fp32 with casts around it: no figure worth having.
            if not path.exists() or (kind == "fp16" and provider == "cpu"):
                continue
            session = open_session(path, provider)
            for batch in batches:
                feed = example(session, batch)
                rate = calls_per_second(partial(session.run, None, feed), seconds, provider)
                tflops = rate * batch * work / 1e12
                ceiling = limits.get(f"matrix_{kind}_tflops", 0.0)
                rows.append(
                    {
                        "model": folder.name,
                        "precision": kind,
                        "batch": batch,
                        "per_second": rate * batch,
                        "ms_per_batch": 1e3 / rate,
                        "gflop_each": work / 1e9,
                        "share_of_matrix_ceiling": tflops / ceiling if ceiling else None,
                    }
                )
                print(
                    f"{folder.name:28} {kind} batch {batch:3}: {rate * batch:9.1f}/s "
                    f"{1e3 / rate:8.2f} ms a batch",
                    flush=True,
                )
    return rows


def main() -> int:
    """Measure, print, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--models", type=Path, default=ROOT / "triton_models")
    cuda = PROVIDERS["cuda"] in ort.get_available_providers()
    parser.add_argument("--provider", choices=PROVIDERS, default="cuda" if cuda else "cpu")
    parser.add_argument("--batches", default="1,2,4,8,16,32,64,128")
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    batches = [int(batch) for batch in options.batches.split(",")]
    limits = ceilings(options.provider, options.seconds)
    for name, value in limits.items():
        print(f"ceiling {name}: {value:.4g}")
    rows = measure(options.models, options.provider, batches, options.seconds, limits)
    if options.json:
        document = {
            "provider": options.provider,
            "onnxruntime": ort.__version__,
            "machine": platform.machine(),
            "ceilings": limits,
            "rows": rows,
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
