"""What the driver does about units that take their worker down, and addresses with no cluster."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import stream_server.ray_cluster
from stream_server.cli import main
from tests.support.paths import ROOT
from tests.support.ray_nodes import RayNodes
from training.__main__ import main as training

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 240


def books(nodes: RayNodes, *units: str) -> list[list[Any]]:
    command = [sys.executable, "-m", "tests.support.ray_units", nodes.address, *units]
    done = subprocess.run(
        command, cwd=ROOT, env=nodes.environment, capture_output=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    # What Ray has to say for itself stays out of the terminal.
    assert done.stderr == b""
    return json.loads(done.stdout)


def test_what_kills_its_worker_is_given_up_and_the_rest_goes_on(nodes: RayNodes) -> None:
    rows = books(nodes, "a", "poison", "b", "c")
    mine = [row[1:] for row in rows if row[0] == "poison"]
    assert mine == [["again", 1], ["again", 2], ["given up", 3]]
    assert sorted(row for row in rows if row[0] != "poison") == [
        ["a", "did a", 1],
        ["b", "did b", 1],
        ["c", "did c", 1],
    ]


def test_an_error_in_the_work_is_raised_and_not_tried_again(nodes: RayNodes) -> None:
    rows = books(nodes, "wrong")
    assert rows == [["", "wrong is wrong", 0]]


@pytest.fixture
def silent() -> Iterator[str]:
    """Takes connections and says nothing."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.2", 0))
        listener.listen()
        yield f"127.0.0.2:{listener.getsockname()[1]}"


def test_an_address_without_a_cluster_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.mp4").touch()
    out = ["--layout", "folders", "--out", str(tmp_path / "out")]
    assert training(["extract", str(tmp_path), *out, "--ray", "127.0.0.2:9"]) == 2
    assert "no Ray cluster at 127.0.0.2:9: " in capsys.readouterr().err
    assert main(["scan", str(tmp_path), "--ray", "ray://127.0.0.2:9"]) == 2
    assert "no Ray cluster at ray://127.0.0.2:9: " in capsys.readouterr().err
    assert main(["scan", str(tmp_path), "--ray", "somewhere"]) == 2
    assert "it must be HOST:PORT" in capsys.readouterr().err


def test_a_port_that_does_not_speak_as_ray_does_is_given_up(
    silent: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream_server.ray_cluster, "CONNECT_SECONDS", 1.0)
    assert main(["scan", str(tmp_path), "--ray", silent]) == 2
    assert f"no Ray cluster at {silent}" in capsys.readouterr().err


def test_without_ray_the_extra_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["scan", str(tmp_path), "--ray", "auto"]) == 2
    assert "pip install 'fakelight[ray]'" in capsys.readouterr().err
