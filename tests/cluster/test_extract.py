"""``extract --ray`` on two real nodes, one of which is killed in the middle of a unit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.support.ray_nodes import Node, RayNodes, wait_for
from tests.support.training_sets import face_video
from training.__main__ import main
from training.data.shards import read_shard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
PATIENCE = 240
VIDEOS = 40  # so many that a node can be killed in the middle, also by a test that comes late


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("set")
    for number in range(VIDEOS):
        face_video(root / "real" / f"r{number:02d}.mp4", number, False, 30)
    (root / "real" / "bad.mp4").write_text("this is no video")
    return root


@pytest.fixture(scope="module")
def alone(videos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What comes of the videos without a cluster."""
    out = tmp_path_factory.mktemp("alone")
    assert main(arguments(videos, out)) == 0
    return out


def arguments(videos: Path, out: Path, *more: str) -> list[str]:
    fixed = ["--layout", "folders", "--sharpness", "0", "--out", str(out)]
    return ["extract", str(videos), *fixed, *more]


def begin(videos: Path, out: Path, nodes: RayNodes) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "training", *arguments(videos, out, "--ray", nodes.address)]
    # A shell in the background has its children ignore Ctrl-C.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, stdout=pipe, stderr=pipe, env=nodes.environment, preexec_fn=heed
    )


def events(out: Path, kind: str) -> list[dict[str, Any]]:
    log = out / "run" / "log.jsonl"
    rows = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [row for row in rows if row["event"] == kind]


def shards(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.glob("*.tar")}


def test_a_node_that_dies_costs_no_unit(
    nodes: RayNodes, victim: Node, videos: Path, alone: Path, tmp_path: Path
) -> None:
    process = begin(videos, tmp_path, nodes)

    def both_at_work() -> bool:
        return len({row["node"] for row in events(tmp_path, "unit")}) == 2

    wait_for(both_at_work, process, PATIENCE)
    victim.kill_at_work(time.monotonic() + PATIENCE)
    assert len(events(tmp_path, "unit")) < VIDEOS + 1
    out, errors = process.communicate(timeout=PATIENCE)
    told = errors.decode()
    assert process.returncode == 0 and out == b"", told

    done = [row["unit"] for row in events(tmp_path, "unit")]
    assert len(done) == len(set(done)) == VIDEOS + 1
    assert shards(tmp_path) == shards(alone)
    assert not list(tmp_path.glob("*.part"))
    lost = events(tmp_path, "retry")
    assert lost and all(row["unit"] in done and row["reason"] for row in lost)
    assert f"retry: unit {lost[0]['unit']}" in told
    # A video that cannot be read is an answer, not a reason to try again.
    assert "real-bad" not in {row["unit"] for row in lost}
    (bad,) = [row for row in events(tmp_path, "unit") if row["unit"] == "real-bad"]
    assert "bad.mp4" in bad["skipped"][0]
    assert "1 items skipped" in told and "usage" not in told.lower()


def test_ctrl_c_stops_the_nodes_and_leaves_what_is_done(
    nodes: RayNodes, videos: Path, alone: Path, tmp_path: Path
) -> None:
    process = begin(videos, tmp_path, nodes)
    wait_for(lambda: len(shards(tmp_path)) >= 2, process, PATIENCE)
    process.send_signal(signal.SIGINT)
    told = process.communicate(timeout=PATIENCE)[1].decode()
    assert process.returncode == 130 and "another run goes on from here" in told, told
    until = time.monotonic() + 60
    while nodes.head.working():
        assert time.monotonic() < until, "a node goes on with a unit that nobody waits for"
        time.sleep(0.05)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*.tar")}
    assert 2 <= len(kept) < VIDEOS + 1
    for path in kept:
        list(read_shard(path))
    assert main(arguments(videos, tmp_path)) == 0
    assert shards(tmp_path) == shards(alone)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
