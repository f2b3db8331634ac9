"""The embedded engine in a process of its own, on another environment's ONNX Runtime.

The test backend of Triton runs ONNX Runtime 1.19.2, as the production container does, where this
environment has a later one. To tell what Triton costs from what the older ONNX Runtime costs, the
same engine runs here on that older one. Each call is timed in the process that makes it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import onnxruntime

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.spec import Arrays, example_inputs

ROOT = Path(__file__).resolve().parent.parent


class Elsewhere:
    """Starts the process and has it make calls.

    Args:
        models: the model repository.
        venv: an environment of the same Python version whose ONNX Runtime is to be used.
    """

    def __init__(self, models: Path, venv: Path) -> None:
        (package,) = venv.glob("lib/python3*/site-packages/onnxruntime")
        # A folder with that one package in front of the path: all else stays as it is here.
        self._folder = tempfile.TemporaryDirectory()
        Path(self._folder.name, "onnxruntime").symlink_to(package.resolve())
        environment = {**os.environ, "PYTHONPATH": f"{self._folder.name}:{ROOT}"}
        command = [sys.executable, "-m", __name__, "--models", str(models)]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, env=environment, cwd=ROOT, text=True, bufsize=1
        )
        self.version = self._line()

    def call(self, model: str, batch: int) -> float:
        """Seconds that one call took over there."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{model} {batch}\n")
        return float(self._line())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._folder.cleanup()

    def _line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        if not line:
            raise RuntimeError("the engine in the other process has ended, see its message above")
        return line


async def answer(models: Path) -> None:
    """Say the version, then make every call that comes and say how long it took."""
    print(onnxruntime.__version__, flush=True)
    repository = ModelRepository.load(models)
    engine = EmbeddedEngine(repository)
    made: dict[str, Arrays] = {}
    for line in sys.stdin:
        model, batch = line.split()
        if line not in made:
            made[line] = example_inputs(repository.models[model], int(batch))
        inputs = made[line]
        began = time.perf_counter()
        await engine.infer(model, inputs)
        print(time.perf_counter() - began, flush=True)
    await engine.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=Path, required=True)
    asyncio.run(answer(parser.parse_args().models))
