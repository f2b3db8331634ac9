"""How long one encoder takes for one crop in this environment's ONNX Runtime, with nothing around.

Run it in both environments by turns to tell what a difference between the engines owes to their
versions of ONNX Runtime:

    .venv-dev/bin/python benchmarks/encoder_alone.py
    .venv-triton/bin/python benchmarks/encoder_alone.py
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import onnxruntime

MODELS = Path(__file__).resolve().parent.parent / "triton_models"


def main() -> None:
    """Print the version and the time of one crop on one thread, 10th and 50th percentile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--member", default="mobilenetv2_lstm")
    parser.add_argument("--calls", type=int, default=150)
    asked = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        str(MODELS / f"{asked.member}_encoder" / "1" / "model.onnx"),
        options,
        providers=["CPUExecutionProvider"],
    )
    crop = np.random.default_rng(0).integers(0, 255, (1, 224, 224, 3), np.uint8)
    times = []
    for _ in range(asked.calls + 20):  # the first ones warm up
        began = time.perf_counter()
        session.run(None, {"FRAMES": crop})
        times.append((time.perf_counter() - began) * 1000)
    low, middle = np.percentile(times[20:], [10, 50])
    print(f"ONNX Runtime {onnxruntime.__version__}: p10 {low:.2f} ms, p50 {middle:.2f} ms a crop")


if __name__ == "__main__":
    main()
