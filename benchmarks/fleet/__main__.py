"""Which part of an installation gives way first: ``python -m benchmarks.fleet MEASURED.json``.

MEASURED.json is what ``fakelight bench live --json`` wrote, best of several numbers of streams:

    fakelight bench live --streams 1,4,8 --seconds 20 --json here.json
    python -m benchmarks.fleet here.json --viewers 1000 100000 --servers 10 --cores 32

``--elsewhere`` is the same measured with ``FAKELIGHT_ENGINE=triton``; then the networks are
Triton's and go by faces. Its device is ``--gpu``: what ``python -m benchmarks.gpu_capacity --json``
wrote.
Viewers come and go by chance, the pictures' faces and cuts as well. What was measured, what follows
from it and what was given on the command line is told apart; nothing here is a measurement.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.fleet.costs import RATE, Costs, gpu_share, read
from benchmarks.fleet.demand import (
    FILES,
    HEADROOM,
    Part,
    Play,
    core_seconds,
    first_to_break,
    looked_at,
)
from benchmarks.fleet.queues import Crowd, crowd, watch
from stream_server.settings import Settings

_MEMBERS = {"dinov2_mean": 2.5, "efficientnet_lite0_mean": 2.5}
_JITTER = 0.1  # of the time between two frames: browsers and networks are no clocks
_NO_LIMIT = 10**9
_MOST_PER_TOKEN = 1024  # what FAKELIGHT_MAX_STREAMS goes up to


def lag(streams: int, cores: int, frame_s: float, seconds: float, seed: int = 1) -> str:
    """p50 and p95 of ``streams`` on one server, and the frames that give way."""
    rng = np.random.default_rng(seed)
    begun = [False] * streams
    stream = iter(range(streams))

    def gap() -> float:
        # The first of each stream comes anywhere within its period.
        first = next(stream, None)
        if first is not None and not begun[first]:
            begun[first] = True
            return float(rng.random()) / RATE
        return max(rng.normal(1 / RATE, _JITTER / RATE), 0.0)

    seen = watch(streams, cores, seconds, gap, lambda: rng.exponential(frame_s))
    middle, most = np.percentile(seen.lags, [50, 95]) * 1000
    return f"{middle:.0f} ms p50, {most:.0f} ms p95, {100 * seen.dropped:.0f} % of frames give way"


def against_measured(costs: Costs) -> list[str]:
    """What is played beside what was measured, for each number of streams that was."""
    lines = [f"measured on {costs.machine}: {1000 * costs.frame_s:.1f} ms of a core a frame"]
    for run in costs.runs:
        sent = max(run["frames_sent"], 1)
        gave_way = 100 * max(1 - run["verdicts"] / sent, 0)
        measured = (
            f"{run['lag_p50_ms']:.0f} ms p50, {run['lag_p95_ms']:.0f} ms p95,"
            f" {gave_way:.0f} % of frames give way"
        )
        played = lag(run["streams"], costs.cores, costs.frame_s, 60)
        lines.append(f"  {run['streams']:4} streams  measured: {measured}")
        lines.append(f"       {'':7}  played:   {played}")
    return lines


def parts(viewers: int, options: argparse.Namespace, costs: Costs) -> list[Part]:
    """What ``viewers`` at a time ask of each part at the busiest second of an hour."""
    rng = np.random.default_rng(options.seed)
    elsewhere = read(options.elsewhere) if options.elsewhere else None
    limit = options.tokens * _MOST_PER_TOKEN

    def play(most: int) -> Crowd:
        return crowd(
            viewers / options.stay,
            lambda: float(rng.exponential(options.stay)),
            options.seconds,
            options.servers,
            most,
            rng,
            begin_with=viewers,
        )

    played = play(_NO_LIMIT)
    faces, young = looked_at(played, Play(), rng)
    asked = core_seconds(played.watching, faces, young, costs, elsewhere)
    busiest = played.watching.max()
    told = "measured, extrapolated"
    found = [
        Part("stream server's cores", "cores, busiest server", asked.max(), options.cores, told),
        Part("streams of one token", "streams, busiest server", busiest, limit, "a limit"),
        Part("connections of one server", "of them", busiest, FILES, "a limit"),
    ]
    if costs.stream_mb is not None and costs.base_mb is not None:
        memory = (costs.base_mb + costs.stream_mb * busiest) / 1024
        found.append(Part("memory", "GiB, busiest server", memory, options.memory, told))
    if options.gpu:
        share = gpu_share(options.gpu, _MEMBERS, Settings.model_fields["verdict_hz"].default)
        devices = share * (faces + young).sum(axis=1).max()
        found.append(Part("GPU", "devices in all", devices, options.gpus, told))
    if costs.bytes_in is not None and costs.bytes_out is not None:
        each = RATE * (costs.bytes_in + costs.bytes_out) * 8 / 1e9
        whole = played.watching.sum(axis=1).max()
        found += [
            Part("network", "Gbit/s, busiest server", each * busiest, options.gbit, told),
            Part("balancer", "Gbit/s in all", each * whole, options.balancer_gbit, told),
        ]
    hellos = played.came / options.seconds
    found.append(Part("database", "look-ups/s at most", hellos, options.database, "one a hello"))
    most = min(limit, FILES)
    print(f"\n{viewers} viewers, {options.servers} servers of {options.cores:g} cores", end="")
    print(f"; {hellos:.1f} come and go each second", end="")
    if busiest > most:
        limited = play(most)
        print(f", {100 * limited.refused / max(limited.came, 1):.0f} % are sent away", end="")
    print()
    return found


def show(viewers: int, found: list[Part]) -> None:
    """A line for each part, the fullest first, and which gives way before the others do."""
    for one in sorted(found, key=lambda part: -(part.fullness or 0)):
        if one.there is None:
            known = "what it can do was neither measured nor given"
        else:
            breaks = viewers / one.fullness if one.fullness else float("inf")
            known = (
                f"of {one.there:g}: {100 * (one.fullness or 0):.0f} %, gives way at {breaks:.0f}"
            )
        print(f"  {one.name:26} {one.asked:10.1f} {one.unit:24} {known}  [{one.basis}]")
    first = first_to_break(found)
    if first is not None and first.fullness is not None:
        state = "gives way" if first.fullness > 1 else "is the fullest"
        print(f"  {first.name} {state}; at {100 * HEADROOM:.0f} % there would have to be ", end="")
        print(f"{first.fullness / HEADROOM:.1f} times as much of it")


def main() -> None:
    """Play, and say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("measured", type=Path)
    parser.add_argument("--elsewhere", type=Path, help="the same with the networks in Triton")
    parser.add_argument("--gpu", type=Path, help="benchmarks.gpu_capacity's figures of the device")
    parser.add_argument("--viewers", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--servers", type=int, default=10)
    parser.add_argument("--cores", type=float, default=32, help="of each server")
    parser.add_argument("--gpus", type=float, default=10, help="devices in all")
    parser.add_argument("--tokens", type=int, default=1, help="named tokens that viewers share")
    parser.add_argument("--memory", type=float, help="GiB of each server")
    parser.add_argument("--gbit", type=float, help="Gbit/s of each server's network")
    parser.add_argument("--balancer-gbit", type=float, help="Gbit/s of what is in front")
    parser.add_argument("--database", type=float, help="look-ups a second that it answers")
    parser.add_argument("--stay", type=float, default=600.0, help="seconds a viewer watches")
    parser.add_argument("--seconds", type=int, default=900, help="that are played")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    costs = read(options.measured)
    print("\n".join(against_measured(costs)))
    for viewers in options.viewers:
        show(viewers, parts(viewers, options, costs))


if __name__ == "__main__":
    main()
