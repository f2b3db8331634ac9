"""``scripts/triton_serve.py``: how the server is started, and what it says when it cannot be."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from tests.support.paths import ROOT

SCRIPT = ROOT / "scripts" / "triton_serve.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("triton_serve", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A folder laid out like the environment, with this Python as its own."""
    folder = tmp_path / "venv"
    server = folder / "lib/python3.11/site-packages/pytriton/tritonserver/bin/tritonserver"
    server.parent.mkdir(parents=True)
    server.touch()
    (folder / "triton-backends").mkdir()
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to(sys.executable)
    return folder


def test_it_listens_on_loopback_alone(script: ModuleType, venv: Path, tmp_path: Path) -> None:
    command, environment = script.server_command(venv, tmp_path, 8000, 8001, 8002)
    for kind in ("http", "grpc", "metrics"):
        assert f"--{kind}-address=127.0.0.1" in command
    assert environment["PATH"].startswith(f"{venv / 'bin'}:")
    assert environment["LD_LIBRARY_PATH"].endswith("nvidia_pytriton.libs")


def test_it_runs_as_production_does(script: ModuleType, venv: Path, tmp_path: Path) -> None:
    """What the two command lines share decides whether tests say anything about production."""
    command, _ = script.server_command(venv, tmp_path, 8000, 8001, 8002)
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    production = compose["services"]["triton"]["command"]
    for flag in (
        "--disable-auto-complete-config",
        "--exit-on-error=true",
        "--strict-readiness=true",
        "--exit-timeout-secs=15",
    ):
        assert flag in command
        assert flag in production


@pytest.mark.parametrize(
    ("models", "message"),
    [(".", "run scripts/triton_env.sh first"), ("nowhere", "no model repository at")],
)
def test_what_is_missing_is_named(venv: Path, tmp_path: Path, models: str, message: str) -> None:
    environment = tmp_path / "empty" if models == "." else venv
    result = subprocess.run(
        [sys.executable, str(SCRIPT), f"--venv={environment}", f"--models={tmp_path / models}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    assert message in result.stderr
