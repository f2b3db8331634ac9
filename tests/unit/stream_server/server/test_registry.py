"""Open streams and how many a token may have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stream_server.live import Counters
from stream_server.protocol import Close, Source
from stream_server.server.auth import Caller
from stream_server.server.registry import OverLimitError
from tests.support.in_process import services_in

ONE, OTHER = Caller("one", "viewer"), Caller("other", "operator")


@pytest.fixture
def streams(services: Any) -> Any:
    return services.streams


def opened(streams: Any, caller: Caller = ONE, **more: Any) -> Any:
    return streams.open(lambda message: None, caller, more.get("source"), more.get("window"))


async def test_a_holder_has_so_many_streams_and_another_as_many(
    services: Any, streams: Any
) -> None:
    limit = services.settings.max_streams
    mine = [opened(streams) for _ in range(limit)]
    with pytest.raises(OverLimitError, match=f"{limit} streams") as refused:
        opened(streams)
    assert refused.value.status == 429
    opened(streams, OTHER)
    mine[0].release()
    opened(streams)


async def test_all_together_have_so_many_whatever_token_they_came_with(
    tmp_path: Path,
) -> None:
    limit = 40
    streams = services_in(tmp_path, max_all_streams=limit).streams
    theirs = [opened(streams, Caller(f"browser {i}", "viewer")) for i in range(limit)]
    newcomer = Caller("newcomer", "operator")
    with pytest.raises(OverLimitError, match=f"^{limit} streams .* for all together") as refused:
        opened(streams, newcomer)
    assert refused.value.status == 503 and int(refused.value.headers["Retry-After"]) > 0
    assert len(streams) == limit
    theirs[0].release()
    opened(streams, newcomer)


async def test_one_token_has_its_share_though_all_together_may_have_fewer(tmp_path: Path) -> None:
    streams = services_in(tmp_path, max_all_streams=16, max_streams=20).streams
    for _ in range(20):
        opened(streams)
    with pytest.raises(OverLimitError, match=r"^20 streams .* with this token"):
        opened(streams)
    with pytest.raises(OverLimitError, match=r"^20 streams .* for all together"):
        opened(streams, OTHER)


async def test_a_stream_is_found_while_it_is_open(streams: Any) -> None:
    assert streams.empty.is_set()
    session = opened(streams, source=Source(kind="tab"), window=40)
    assert streams.get(session.id) is session and list(streams) == [session]
    assert (session.holder, session.source.kind, session.window) == ("one", "tab", 40)
    assert not streams.empty.is_set() and len(streams) == 1
    session.release()
    session.release()
    assert streams.get(session.id) is None and streams.empty.is_set() and len(streams) == 0


async def test_frames_of_closed_streams_stay_counted(streams: Any) -> None:
    first, second = opened(streams), opened(streams)
    first.live.counters.add(Counters(received=5, analysed=3, dropped=2, refused=1))
    first.release()
    second.live.skip()
    assert streams.counters() == Counters(received=6, analysed=3, dropped=3, refused=1)
    assert streams.counters() == Counters(received=6, analysed=3, dropped=3, refused=1)


async def test_a_server_that_stops_ends_every_stream(services: Any, streams: Any) -> None:
    sessions = [opened(streams), opened(streams, OTHER)]
    services.stop()
    endings = [await session.run() for session in sessions]
    assert {ending.code for ending in endings} == {Close.STOPPING}
    assert streams.empty.is_set() and services.stopping.is_set()
