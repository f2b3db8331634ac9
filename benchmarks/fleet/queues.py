"""Frames that wait for a core, and viewers that come and go: the two things that are played.

Both are event by event and know no formula; ``tests/unit/benchmarks/test_fleet.py`` holds them
against Erlang's.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Draw = Callable[[], float]


@dataclass(frozen=True)
class Watched:
    """Seconds from a frame's arrival to its verdict, and the share of frames that gave way."""

    lags: NDArray[np.float64]
    dropped: float


def watch(streams: int, cores: int, seconds: float, gap: Draw, service: Draw) -> Watched:
    """``streams`` whose frames come ``gap()`` after one another and take ``service()`` of a core.

    As the server does it: of each stream one frame is in hand and one waits, whose place a newer
    one takes; the streams are served in the order in which they became ready.
    """
    events: list[tuple[float, int, int]] = []  # when, arrival (0) or end (1), which stream
    for stream in range(streams):
        heapq.heappush(events, (gap(), 0, stream))
    waiting: list[float | None] = [None] * streams
    in_hand: list[float | None] = [None] * streams
    ready: deque[int] = deque()
    free, lags, came, dropped = cores, [], 0, 0
    while events:
        now, ended, stream = heapq.heappop(events)
        if now > seconds:
            break
        if ended:
            begun = in_hand[stream]
            assert begun is not None
            lags.append(now - begun)
            in_hand[stream] = None
            free += 1
            if waiting[stream] is not None:
                ready.append(stream)
        else:
            came += 1
            heapq.heappush(events, (now + gap(), 0, stream))
            if waiting[stream] is not None:
                dropped += 1
            elif in_hand[stream] is None:
                ready.append(stream)
            waiting[stream] = now
        while free and ready:
            served = ready.popleft()
            in_hand[served], waiting[served] = waiting[served], None
            free -= 1
            heapq.heappush(events, (now + service(), 1, served))
    return Watched(np.asarray(lags), dropped / max(came, 1))


@dataclass(frozen=True)
class Crowd:
    """How many watch on each server at each whole second, ``[seconds, servers]``; how many came,
    and how many of them were sent away."""

    watching: NDArray[np.float64]
    came: int
    refused: int


def crowd(
    per_second: float,
    stay: Draw,
    seconds: int,
    servers: int,
    limit: int,
    rng: np.random.Generator,
    begin_with: int = 0,
) -> Crowd:
    """Viewers that come by chance, ``per_second`` on average, to a server by chance (as by a hash
    of their address), and stay for ``stay()``; a server with ``limit`` of them sends the next away.

    ``begin_with`` are there at the beginning.
    """
    leaving: list[tuple[float, int]] = []
    here = np.zeros(servers, np.int64)
    watching = np.zeros((seconds, servers))
    came = refused = 0

    def enter(now: float) -> bool:
        server = int(rng.integers(servers))
        if here[server] >= limit:
            return False
        here[server] += 1
        heapq.heappush(leaving, (now + stay(), server))
        return True

    for _ in range(begin_with):
        enter(0.0)
    for second in range(seconds):
        moments = np.sort(second + rng.random(rng.poisson(per_second)))
        for now in [*moments.tolist(), second + 1.0]:
            while leaving and leaving[0][0] <= now:
                here[heapq.heappop(leaving)[1]] -= 1
            if now < second + 1.0:
                came += 1
                refused += not enter(now)
        watching[second] = here
    return Crowd(watching, came, refused)
