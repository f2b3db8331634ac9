"""The real tritonserver 2.51.0 for tests, on free loopback ports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput
from tritonclient.utils import InferenceServerException

from tests.support.paths import ROOT
from tests.support.server import free_port

VENV = Path(os.environ.get("TRITON_VENV", ROOT / ".venv-triton"))
START_LIMIT_S = 240


def triton_missing() -> str:
    """Why tritonserver cannot be run here, or an empty string."""
    if not list(VENV.glob(".fakelight-triton-*")):
        return "tritonserver is not installed: run scripts/triton_env.sh"
    return ""


class TritonServer:
    """A tritonserver process group over one model repository.

    Args:
        models: the model repository.
        log: file that takes the server's output.
    """

    def __init__(self, models: Path, log: Path) -> None:
        self.models = models
        self.log = log
        self.http_port, self.grpc_port, self.metrics_port = (free_port() for _ in range(3))
        self.url = f"127.0.0.1:{self.grpc_port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._regions: set[str] = set()

    def start(self) -> None:
        """Start on the same ports as before and wait until it says it is ready."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    str(ROOT / "scripts" / "triton_serve.py"),
                    f"--models={self.models}",
                    f"--http-port={self.http_port}",
                    f"--grpc-port={self.grpc_port}",
                    f"--metrics-port={self.metrics_port}",
                    f"--venv={VENV}",
                ],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        limit = time.monotonic() + START_LIMIT_S
        while not self.says_ready():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.kill()
                raise RuntimeError(f"tritonserver did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.1)
        self._regions.update(arguments[2] for _, arguments in self._stubs())

    @property
    def pid(self) -> int:
        """The server's process, which leads its group."""
        assert self._process is not None
        return self._process.pid

    def says_ready(self) -> bool:
        """What its health endpoint says, which is no proof that a model answers."""
        address = f"http://127.0.0.1:{self.http_port}/v2/health/ready"
        try:
            with urllib.request.urlopen(address, timeout=1) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def answers(self) -> bool:
        """Whether it runs and the encoder really answers."""
        if self._process is None or self._process.poll() is not None or not self.says_ready():
            return False
        client = InferenceServerClient(self.url)
        tensor = InferInput("FRAMES", [1, 224, 224, 3], "UINT8")
        tensor.set_data_from_numpy(np.zeros((1, 224, 224, 3), np.uint8))
        try:
            client.infer("face_features", [tensor], client_timeout=5)
        except InferenceServerException:
            return False
        finally:
            client.close()
        return True

    def model_processes(self, model: str) -> list[int]:
        """Process ids of the stubs that run a model, one for each instance."""
        return [process for process, line in self._stubs() if f"/{model}/" in line[1]]

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and its model processes."""
        os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask the server alone to stop, as a container runtime does."""
        os.kill(self.pid, signal.SIGTERM)

    def stop(self) -> None:
        """Ask the server to stop, and end what is left of it."""
        if self._process is None:
            return
        self.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(20)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        for region in self._regions:  # a killed server leaves its own behind
            Path("/dev/shm", region).unlink(missing_ok=True)
        self._regions.clear()

    def _stubs(self) -> list[tuple[int, list[str]]]:
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                ours = os.getpgid(int(entry.name)) == self.pid
                if ours and line[0].endswith("triton_python_backend_stub") and len(line) > 3:
                    found.append((int(entry.name), line))
        return found


class Fault:
    """Switches the test backend's faults on and off for the models that watch its file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def arm(self, models: Path, *names: str) -> None:
        """Have the models' configs name this fault's file; before the server starts."""
        for name in names:
            with (models / name / "config.pbtxt").open("a", encoding="utf-8") as config:
                config.write(
                    'parameters { key: "test_fault_file" '
                    f'value {{ string_value: "{self.path}" }} }}\n'
                )

    def set(self, *, delay_s: float = 0.0, nan: bool = False) -> None:
        """From now on, every execution is so late, or so wrong."""
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"delay_s": delay_s, "nan": nan}))
        new.replace(self.path)

    def clear(self) -> None:
        """All is well again."""
        self.path.unlink(missing_ok=True)
