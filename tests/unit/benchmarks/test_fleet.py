"""The fleet simulator against what queueing theory says in closed form."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.fleet import __main__ as fleet
from benchmarks.fleet.costs import Costs, gpu_share, read
from benchmarks.fleet.demand import Part, Play, core_seconds, first_to_break, looked_at
from benchmarks.fleet.queues import Crowd, crowd, watch

RUN = {
    "machine": "2 x x86_64",
    "streams": 1,
    "seconds": 20.0,
    "frames_sent": 200,
    "verdicts": 200,
    "lag_p50_ms": 12.0,
    "lag_p95_ms": 68.0,
    "server_cores": 0.25,
    "memory_mb_peak": 400.0,
    "bytes_per_frame": 25_000,
    "bytes_per_verdict": 500,
}
MANY = RUN | {"streams": 8, "verdicts": 1600, "server_cores": 1.6, "memory_mb_peak": 470.0}


def waiting_of(cores: int, load: float) -> float:
    """Erlang's C: the probability that all ``cores`` are busy at ``load`` (Erlang, 1917)."""
    above = load**cores / math.factorial(cores) * cores / (cores - load)
    return above / (sum(load**n / math.factorial(n) for n in range(cores)) + above)


def refused_of(limit: int, load: float) -> float:
    """Erlang's B: the share that finds all ``limit`` places taken."""
    share = 1.0
    for places in range(1, limit + 1):
        share = load * share / (places + load * share)
    return share


@pytest.mark.parametrize(("cores", "load"), [(1, 0.5), (2, 1.4), (8, 6.0)])
def test_frames_wait_as_in_m_m_c(cores: int, load: float) -> None:
    """So many streams that none of them waits for itself are one M/M/c queue."""
    rng = np.random.default_rng(1)
    streams, service = 3000, 0.02
    gap = streams * service / load
    seconds = 60_000 * service / load
    seen = watch(
        streams, cores, seconds, lambda: rng.exponential(gap), lambda: rng.exponential(service)
    )
    expected = service + waiting_of(cores, load) * service / (cores - load)
    assert len(seen.lags) > 30_000
    assert seen.lags.mean() == pytest.approx(expected, rel=0.08)
    assert seen.dropped < 0.01


def test_a_newer_frame_takes_the_waiting_ones_place_as_in_m_m_1_2() -> None:
    rng = np.random.default_rng(2)
    load = 1.5
    seen = watch(1, 1, 20_000.0, lambda: rng.exponential(1 / load), lambda: rng.exponential(1.0))
    assert seen.dropped == pytest.approx((1 - load) * load**2 / (1 - load**3), rel=0.03)


def test_viewers_are_as_many_as_little_says_and_are_sent_away_as_erlang_says() -> None:
    rng = np.random.default_rng(3)
    free = crowd(0.5, lambda: rng.exponential(60.0), 20_000, 1, 10**9, rng, begin_with=30)
    assert free.watching.mean() == pytest.approx(30.0, rel=0.05)
    assert free.watching.var() == pytest.approx(30.0, rel=0.25), "Poisson's"
    assert free.refused == 0
    tight = crowd(0.5, lambda: rng.exponential(60.0), 40_000, 1, 30, rng)
    assert tight.watching.max() == 30
    assert tight.refused / tight.came == pytest.approx(refused_of(30, 30.0), rel=0.12)
    # How long they stay matters by its mean alone (Sevastyanov's insensitivity).
    steady = crowd(0.5, lambda: 60.0, 40_000, 1, 30, rng)
    assert steady.refused / steady.came == pytest.approx(refused_of(30, 30.0), rel=0.12)
    shared = crowd(2.0, lambda: rng.exponential(60.0), 2000, 4, 10**9, rng, begin_with=120)
    assert shared.watching.mean(axis=0) == pytest.approx([30.0] * 4, rel=0.2)


def test_faces_and_cuts_cost_what_they_should() -> None:
    rng = np.random.default_rng(4)
    played = Crowd(np.full((400, 2), 1000.0), 0, 0)
    faces, young = looked_at(played, Play((0.5, 0.25, 0.25), 0.2, 0.5), rng)
    assert faces.mean() == pytest.approx(750, rel=0.01)
    assert young.mean() == pytest.approx(75, rel=0.02)
    streams = np.array([[10.0]])
    whole, without = costs(0.03), costs(0.01)
    few, more = np.array([[4.0]]), np.array([[12.0]])
    none = np.array([[0.0]])
    assert core_seconds(streams, few, none, whole, None)[0, 0] == pytest.approx(10 * 0.03 * 10)
    assert core_seconds(streams, more, few, whole, None)[0, 0] == pytest.approx(10 * 0.03 * 16)
    parted = core_seconds(streams, more, few, whole, without)[0, 0]
    assert parted == pytest.approx(10 * (0.01 * 10 + 0.02 * 16))


def costs(frame_s: float) -> Costs:
    return Costs("2 x x86_64", frame_s, None, None, None, None, ())


def test_costs_are_those_of_the_most_streams_that_the_machine_kept_up_with(tmp_path: Path) -> None:
    file = tmp_path / "measured.json"
    file.write_text(json.dumps({"runs": [MANY, RUN], "knee": 8}))
    found = read(file)
    assert found.frame_s == pytest.approx(1.6 * 20 / 1600) and found.cores == 2
    assert (found.base_mb, found.stream_mb) == (390.0, 10.0)
    assert (found.bytes_in, found.bytes_out) == (25_000, 500)
    file.write_text(json.dumps(RUN))
    alone = read(file)
    assert alone.frame_s == pytest.approx(0.025) and alone.stream_mb is None
    for broken in ("[]", "{}", "not json", json.dumps(RUN | {"verdicts": 0})):
        file.write_text(broken)
        with pytest.raises(ValueError, match="bench live --json"):
            read(file)


def test_a_gpu_is_shared_as_its_own_figures_say(tmp_path: Path) -> None:
    file = tmp_path / "gpu.json"
    rows = [
        {"model": f"{name}_{part}", "batch": 32, "per_second": rate, "precision": kind}
        for name in ("a", "b")
        for part, rates in (("encoder", (1000, 2000)), ("sequence", (4000, 4000)))
        for kind, rate in zip(("fp32", "fp16"), rates, strict=True)
    ]
    file.write_text(json.dumps({"rows": rows}))
    share = gpu_share(file, {"a": 2.5, "b": 10.0}, 4.0)
    assert share == pytest.approx(12.5 / 2000 + 2 * 4 / 4000)
    with pytest.raises(ValueError, match="c_encoder"):
        gpu_share(file, {"c": 1.0}, 4.0)


def test_the_fullest_part_gives_way_first() -> None:
    unknown = Part("balancer", "", 10**9, None, "")
    slack, tight = Part("memory", "", 1, 10, ""), Part("cores", "", 30, 20, "")
    assert first_to_break([unknown, slack, tight]) is tight
    assert first_to_break([unknown]) is None


def test_the_command_says_what_gives_way_and_what_nobody_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    file = tmp_path / "measured.json"
    file.write_text(json.dumps({"runs": [RUN, MANY], "knee": 8}))
    more = ["--viewers", "100", "20000", "--servers", "4", "--cores", "16", "--seconds", "60"]
    monkeypatch.setattr("sys.argv", ["fleet", str(file), *more, "--gbit", "10", "--memory", "64"])
    fleet.main()
    told = capsys.readouterr().out
    small, large = told.split("\n100 viewers")[1].split("\n20000 viewers")
    assert "stream server's cores is the fullest" in small
    assert "% are sent away" in large and "stream server's cores gives way" in large
    assert "balancer" in small and "neither measured nor given" in small
    assert "8 streams measured: 12 ms p50, 68 ms p95" in " ".join(told.split())
