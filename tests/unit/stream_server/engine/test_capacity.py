"""The capacity benchmark: what it counts as work, and that it runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks.gpu_capacity import flops
from tests.support.paths import ROOT
from tests.support.tiny_repository import tiny_repository


def test_work_of_a_convolution_and_an_lstm(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["frames", "kernel"], ["y"], pads=[1, 1, 1, 1]),
        helper.make_node("Reshape", ["y", "shape"], ["z"]),
        helper.make_node("LSTM", ["z", "w", "r"], ["h"], hidden_size=6),
    ]
    weights = {
        "kernel": np.zeros((8, 3, 3, 3), np.float32),
        "shape": np.array([4, 1, 32], np.int64),
        "w": np.zeros((1, 24, 32), np.float32),
        "r": np.zeros((1, 24, 6), np.float32),
    }
    graph = helper.make_graph(
        nodes,
        "work",
        [helper.make_tensor_value_info("frames", TensorProto.FLOAT, ["N", 3, 4, 4])],
        [helper.make_tensor_value_info("h", TensorProto.FLOAT, [4, 1, 1, 6])],
        [onnx.numpy_helper.from_array(a, n) for n, a in weights.items()],
    )
    path = tmp_path / "work.onnx"
    onnx.save(
        helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]),
        str(path),
    )
    convolution = 2 * (8 * 4 * 4) * (3 * 3 * 3)
    lstm = 2 * 4 * 24 * (32 + 6)
    assert flops(path) == convolution + lstm


@pytest.mark.parametrize("batches", ["1,3"])
def test_it_measures_and_writes_its_figures(tmp_path: Path, batches: str) -> None:
    models = tiny_repository(tmp_path / "models")
    figures = tmp_path / "figures.json"
    subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.gpu_capacity", "--provider=cpu"),
            *("--seconds=0.05", f"--models={models}", f"--batches={batches}", f"--json={figures}"),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    document = json.loads(figures.read_text())
    rows = document["rows"]
    assert [(r["model"], r["batch"]) for r in rows] == [
        ("tiny_encoder", 1),
        ("tiny_encoder", 3),
        ("tiny_sequence", 1),
        ("tiny_sequence", 3),
    ]
    assert all(r["per_second"] > 0 for r in rows)
    assert document["ceilings"]["matrix_fp32_tflops"] > 0
    assert rows[0]["gflop_each"] == pytest.approx(2 * 3 * 8 / 1e9)
