"""What ``fakelight bench live`` makes of its measurements."""

from __future__ import annotations

from typing import Any

import pytest

from stream_server.bench import live
from stream_server.bench.live import knee
from stream_server.cli import main


def run(streams: int, slowest: float, p95: float | None) -> dict[str, Any]:
    return {
        "version": "1",
        "machine": "2 x cpu",
        "streams": streams,
        "lag_p50_ms": 20.0,
        "lag_p95_ms": p95,
        "verdicts_per_s_slowest": slowest,
        "verdicts_per_s_fastest": 10.0,
        "server_cores": None,
        "memory_mb_peak": 400.0,
    }


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([run(1, 10.0, 30.0), run(8, 9.0, 200.0), run(20, 5.0, 240.0)], 8),
        ([run(20, 9.5, 90.0), run(1, 10.0, 30.0)], 20),
        ([run(1, 10.0, 30.0), run(8, 9.9, 251.0), run(20, 9.9, 100.0)], 1),
        ([run(1, 8.9, 30.0)], None),
        ([run(1, 10.0, None)], None),
    ],
)
def test_the_knee_is_the_most_streams_up_to_which_nobody_waits(
    runs: list[dict[str, Any]], found: int | None
) -> None:
    assert knee(runs) == found


def test_several_numbers_are_a_table_with_the_knee_and_one_is_what_it_was(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Any
) -> None:
    monkeypatch.setattr(live, "sample_frames", list)
    monkeypatch.setattr(live, "_run", lambda frames, count, seconds: run(count, 80 / count, 90.0))
    assert main(["bench", "live", "--streams", "1,8,20", "--json", str(tmp_path / "f.json")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[1].split("  ")[-1].strip() == "memory MB"
    assert [line.split()[0] for line in told[2:5]] == ["1", "8", "20"]
    assert told[5].startswith("the knee: 8 streams")
    assert '"knee": 8' in (tmp_path / "f.json").read_text()
    assert main(["bench", "live", "--streams", "8"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[2].split() == ["streams", "8"] and len(told) == len(run(1, 1, 1))


def test_numbers_that_are_none_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["bench", "live", "--streams", "1,x"])
    assert "'1,x'" in capsys.readouterr().err
    assert main(["bench", "live", "--streams", "8,0"]) == 2
    assert "8, 0 streams" in capsys.readouterr().err
