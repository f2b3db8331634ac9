"""The dependencies' telemetry is forbidden by importing any of this. ``tests/server`` watches that
it then keeps still."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from stream_server.no_telemetry import FORBIDDING
from tests.support.paths import ROOT


def environment_after(module: str, **chosen: str) -> dict[str, str]:
    """The environment of a process that imported ``module`` and knew nothing of it before."""
    clean = {name: value for name, value in os.environ.items() if name not in FORBIDDING}
    program = f"import json, os, {module}; print(json.dumps(dict(os.environ)))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=clean | chosen,
        capture_output=True,
        check=True,
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("module", ["stream_server", "training", "tests", "benchmarks"])
def test_importing_forbids_it(module: str) -> None:
    assert FORBIDDING.items() <= environment_after(module).items()


def test_what_somebody_chose_is_left_alone() -> None:
    chosen = {"RAY_USAGE_STATS_ENABLED": "1"}
    assert environment_after("stream_server", **chosen).items() >= (FORBIDDING | chosen).items()


@pytest.mark.parametrize(
    "path", ["benchmarks/gpu_capacity.py", "scripts/triton_onnxruntime_backend.py"]
)
def test_what_runs_without_the_package_says_so_itself(path: str) -> None:
    source = (ROOT / path).read_text(encoding="utf-8")
    forbids = 'os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")'
    assert 0 <= source.find(forbids) < source.index("import onnxruntime")
