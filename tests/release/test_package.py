"""The wheel serves from any directory, and needs no PyTorch."""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.support.pythons import Archives
from tests.support.server import TOKEN, free_port

pytestmark = pytest.mark.server
_NO_TORCH = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "torchvision", "training", "timm", "facenet_pytorch"):
            raise ModuleNotFoundError(f"{name} is not needed to serve")
sys.meta_path.insert(0, Refuse())
"""


@pytest.fixture(scope="module")
def wheel(archives: Archives) -> Path:
    return archives.wheel


@pytest.fixture(scope="module")
def installed(wheel: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    (folder / "sitecustomize.py").write_text(_NO_TORCH)
    return folder


def run(installed: Any, cwd: Any, *arguments: Any, **options: Any) -> Any:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    state = str(installed / "state")
    environment |= {
        "PYTHONPATH": str(installed),
        "FAKELIGHT_TOKEN": TOKEN,
        "FAKELIGHT_STATE_DIR": state,
    }
    command = [sys.executable, "-m", "stream_server.cli", *arguments]
    return subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def test_the_wheel_carries_models_extension_and_licences(wheel: Any) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    for part in (
        "stream_server/_data/triton_models/sequence_verdict/config.pbtxt",
        "stream_server/_data/triton_models/LICENSE",
        "stream_server/_data/extension/manifest.json",
        "stream_server/vision/weights/pnet.onnx",
        "stream_server/web/static/sample.mp4",
        "stream_server/web/base.html",
        "stream_server/locales/de/LC_MESSAGES/fakelight.mo",
        "stream_server/locales/es/scripts.json",
    ):
        assert part in names
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("fakelight-")} == {"stream_server"}
    assert any(name.endswith("licenses/NOTICE") for name in names)


def test_it_serves_from_any_directory_without_pytorch(installed: Any, tmp_path: Path) -> None:
    port = free_port()
    process = run(installed, tmp_path, "serve", "--port", str(port))
    try:
        for _ in range(100):
            line = process.stdout.readline()
            if "is serving on" in line or not line:
                break
        assert f"http://127.0.0.1:{port}" in line
        for path in ("/readyz", "/", "/static/sample.mp4", "/extension/manifest.json"):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
                assert answer.status == 200
    finally:
        process.terminate()
        process.communicate(timeout=60)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("models", "check"), "all as their configs say"),
        (("models", "list"), "sequence_verdict"),
        (("token",), TOKEN),
        (("doctor",), "ok    engine"),
        (("--version",), "fakelight 0."),
    ],
)
def test_the_other_commands_work_there_too(
    installed: Any, tmp_path: Path, arguments: tuple[str, ...], says: Any
) -> None:
    process = run(installed, tmp_path, *arguments)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert says in output


def test_a_port_that_is_taken_is_said_in_one_line(installed: Any, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = run(installed, tmp_path, "serve", "--port", str(port))
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output.strip().startswith(f"fakelight: cannot listen on 127.0.0.1:{port}")
    assert len(output.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("serve", "--models", "/nowhere"), "/nowhere is not a model repository"),
        (("serve", "--port", "99999"), "setting port = 99999"),
        (("bench", "live", "--streams", "0"), "0 streams"),
    ],
)
def test_unusable_arguments_are_said_in_one_line(
    installed: Any, tmp_path: Path, arguments: tuple[str, ...], says: str
) -> None:
    process = run(installed, tmp_path, *arguments)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 2 and says in output
    assert "Traceback" not in output
