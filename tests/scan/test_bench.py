from __future__ import annotations

import json
from pathlib import Path

import pytest

from stream_server.bench.scan import bench_scan


def test_one_run_measures_the_scan_and_the_naive_way(
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("FAKELIGHT_MODELS", str(models))
    assert bench_scan(False, str(tmp_path / "figures.json"), seconds=3) == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["scan"]["analysed"] == 30
    assert figures["naive"]["frames_searched"] == 90
    assert figures["naive"]["verdicts"] >= 3
    # The same faces, crops and models: both ways must come to about the same answer.
    assert abs(figures["scan"]["probability"] - figures["naive"]["probability"]) < 0.05
    assert len(figures["scans"]) == 3 and figures["scans"] == sorted(figures["scans"])
    assert figures["scan"]["seconds"] == figures["scans"][1], "the middle one counts"
    assert figures["times_faster"] > 0
    out = capsys.readouterr().out
    assert "fakelight scan" in out and "the naive way" in out and "times faster" in out
