"""``fakelight scan --ray`` on two real nodes, one of which is killed in the middle of a file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.ray_nodes import Node, RayNodes, wait_for
from tests.support.scan_media import every, moving_face, write_video
from tests.support.tiny_repository import tiny_repository

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 240
CLIPS = 40  # so many that a node can be killed in the middle, also by a test that comes late
COMMAND = [sys.executable, "-m", "stream_server.cli", "scan"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Thresholds that every face is over.
    folder = tmp_path_factory.mktemp("models") / "triton_models"
    lines = {"threshold_fake": "0.05", "threshold_real": "0.01"}
    return tiny_repository(folder, parameters=lines)


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    first = write_video(folder / "c00.mp4", moving_face(), every(15, 4))
    for number in range(1, CLIPS):
        (folder / f"c{number:02d}.mp4").write_bytes(first.read_bytes())
    return folder


def test_a_node_that_dies_costs_no_report(
    nodes: RayNodes, victim: Node, clips: Path, models: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.mp4"
    bad.write_text("this is no video")
    inputs = [str(bad), str(clips), "--models", str(models)]
    found, page, told = tmp_path / "r.json", tmp_path / "r.html", tmp_path / "out.txt"
    alone = tmp_path / "alone.json"
    same = subprocess.run([*COMMAND, *inputs, "--json", alone], stdout=subprocess.PIPE, check=False)
    assert same.returncode == 2

    results = ["--json", str(found), "--html", str(page)]
    with told.open("wb") as out:
        process = subprocess.Popen(
            [*COMMAND, *inputs, *results, "--ray", nodes.address],
            stdout=out,
            stderr=subprocess.PIPE,
            env=nodes.environment,
        )
    wait_for(lambda: told.read_text().count(".mp4:") >= 2 and victim.working(), process, PATIENCE)
    victim.kill_at_work(time.monotonic() + PATIENCE)
    assert told.read_text().count(".mp4:") < CLIPS
    errors = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 2, errors

    reports = json.loads(found.read_text())
    assert len(reports) == CLIPS + 1
    assert reports == json.loads(alone.read_text())
    # The same lines, in the order of the answers, and nothing from Ray among them.
    assert sorted(told.read_text().splitlines()) == sorted(same.stdout.decode().splitlines())
    assert "scanning it again, attempt 2 of 3" in errors
    assert errors.count("bad.mp4") == 1
    assert page.read_text().count("c00.mp4") > 0


def test_the_exit_status_and_relative_paths_are_the_same(
    nodes: RayNodes, clips: Path, models: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, "c01.mp4", "--models", models, "--json", "-", "--ray", nodes.address],
        cwd=clips,  # a node works somewhere else
        env=nodes.environment,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 3, done.stderr.decode()
    report = json.loads(done.stdout)
    assert report["file"] == "c01.mp4" and report["verdict"] == "likely_fake"
