"""``fakelight monitor`` as a process, with the shipped models and the sample clip."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stream_server import resources
from tests.support.live_media import write_live
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.patient]

SAMPLE = resources.sample_clip()


def command(*arguments: str, files: Path | None = None) -> subprocess.Popen[str]:
    around = {k: v for k, v in os.environ.items() if not k.startswith("FAKELIGHT_")}
    around |= {"PYTHONPATH": str(ROOT), "FAKELIGHT_SAMPLE_HZ": "5"}
    if files is not None:
        around["FAKELIGHT_MONITOR_FILES"] = str(files)
    return subprocess.Popen(
        [sys.executable, "-m", "stream_server.cli", "monitor", *arguments],
        env=around,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leaves no process behind: a test that fails must not wait for one that goes on."""
    with process:
        try:
            yield
        finally:
            process.kill()


def test_a_manipulated_stretch_opens_and_closes_an_incident_in_lines_of_json() -> None:
    process = command(f"file://{SAMPLE}", "--json", "-", files=SAMPLE.parent)
    assert process.stdout is not None
    with ended(process):
        lines: list[dict[str, Any]] = []
        # The clip is played over and over: sooner or later a whole stretch was seen.
        while not lines or lines[-1]["event"] != "incident.closed":
            lines.append(json.loads(process.stdout.readline()))
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 3, said
    opened, closed = lines[0], lines[-1]
    assert opened["event"] == "incident.opened" and closed["event"] == "incident.closed"
    assert closed["peak"] >= opened["peak"] > 0.8
    assert opened["url"] == f"file://{SAMPLE}" and opened["verdict"] == "likely_fake"
    # Its middle third is manipulated: nine to eighteen seconds of twenty-seven.
    # A face that looked real for a while is looked at less often, on a busy machine even less.
    assert 9 <= closed["media_start_s"] % 27 <= 18
    assert "watching" in said and "Traceback" not in said


def test_a_stopped_command_says_what_it_could_not_watch(tmp_path: Path) -> None:
    write_live(tmp_path / "clip.mp4", "mp4", 4.0)
    good = f"file://{tmp_path}/clip.mp4"
    process = command(
        good, "http://me:hunter22@10.0.0.1/live?token=hunter22", "ftp://h/a", files=tmp_path
    )
    assert process.stderr is not None
    with ended(process):
        said = ""
        while "watching" not in said:
            said += process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        out, rest = process.communicate(timeout=60)
    said += rest
    assert process.returncode == 2 and out == ""
    assert "http://***@10.0.0.1/live?token=***" in said and "'ftp' addresses" in said
    assert "hunter22" not in said and "Traceback" not in said


def test_it_ends_when_its_time_is_over_and_nothing_was_found(tmp_path: Path) -> None:
    write_live(tmp_path / "clip.mp4", "mp4", 4.0)
    target = tmp_path / "lines.json"
    process = command(
        f"file://{tmp_path}/clip.mp4", "--seconds", "20", "--json", str(target), files=tmp_path
    )
    began = time.monotonic()
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert time.monotonic() - began > 15 and target.read_text() == ""


def test_nothing_left_to_watch_ends_it_and_bad_options_are_told() -> None:
    process = command("rtmp://10.0.0.1/live/x")
    _, said = process.communicate(timeout=100)
    assert process.returncode == 2 and "10.0.0.1" in said
    process = command("http://h/a", "--seconds", "-1")
    _, said = process.communicate(timeout=100)
    assert process.returncode == 2 and "--seconds -1: it must be more than 0" in said
