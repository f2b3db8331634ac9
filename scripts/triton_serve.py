#!/usr/bin/env python3
"""Runs the real tritonserver 2.51.0 on loopback, in the foreground, until interrupted.

It replaces this process (exec), so the server and its model processes are one process group and
Ctrl-C or a signal to the group ends them all. ``scripts/triton_env.sh`` must have run before.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def server_command(
    venv: Path, models: Path, http_port: int, grpc_port: int, metrics_port: int
) -> tuple[list[str], dict[str, str]]:
    """The server's argv and environment.

    Raises:
        FileNotFoundError: the Triton environment or the model repository is not there.
    """
    python = venv / "bin" / "python"
    found = sorted(venv.glob("lib/python3*/site-packages/pytriton/tritonserver/bin/tritonserver"))
    backends = venv / "triton-backends"
    if not found or not backends.is_dir():
        raise FileNotFoundError(f"no Triton in {venv}: run scripts/triton_env.sh first")
    if not models.is_dir():
        raise FileNotFoundError(f"no model repository at {models}")
    server = found[0]
    libraries = server.parents[3] / "nvidia_pytriton.libs"
    query = "import sysconfig; print(sysconfig.get_config_var('LIBDIR'))"
    libdir = subprocess.run(
        [str(python), "-c", query], check=True, capture_output=True, text=True
    ).stdout.strip()
    command = [
        str(server),
        f"--model-repository={models}",
        f"--backend-directory={backends}",
        "--http-address=127.0.0.1",
        "--grpc-address=127.0.0.1",
        "--metrics-address=127.0.0.1",
        f"--http-port={http_port}",
        f"--grpc-port={grpc_port}",
        f"--metrics-port={metrics_port}",
        "--disable-auto-complete-config",
        "--exit-on-error=true",
        "--strict-readiness=true",
        "--allow-gpu-metrics=false",
        "--exit-timeout-secs=15",
    ]
    environment = dict(os.environ)
    # The model processes take the first python3 of PATH, and their libpython from its LIBDIR.
    environment["PATH"] = f"{venv / 'bin'}:{environment.get('PATH', '')}"
    environment["LD_LIBRARY_PATH"] = f"{libdir}:{libraries}"
    environment.pop("PYTHONPATH", None)
    environment.setdefault("OMP_NUM_THREADS", "1")
    return command, environment


def main() -> int:
    """Parse the arguments and become the server."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, default=ROOT / "triton_models")
    parser.add_argument("--http-port", type=int, default=8000)
    parser.add_argument("--grpc-port", type=int, default=8001)
    parser.add_argument("--metrics-port", type=int, default=8002)
    venv = Path(os.environ.get("TRITON_VENV", ROOT / ".venv-triton"))
    parser.add_argument("--venv", type=Path, default=venv)
    options = parser.parse_args()
    try:
        command, environment = server_command(
            options.venv.absolute(),
            options.models.resolve(),
            options.http_port,
            options.grpc_port,
            options.metrics_port,
        )
    except FileNotFoundError as error:
        print(f"triton: {error}", file=sys.stderr)
        return 2
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    sys.exit(main())
