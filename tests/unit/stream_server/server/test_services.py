"""What a server gives each of its streams."""

from __future__ import annotations

from typing import Any

import pytest

from stream_server.evidence import StreamOptions
from stream_server.server import services as module
from stream_server.stream import Stream


@pytest.mark.parametrize("beats", [4, 10, 40])  # between two looks: new, known and settled faces
async def test_the_looks_of_streams_lie_evenly_over_time(
    services: Any, monkeypatch: pytest.MonkeyPatch, beats: int
) -> None:
    given: list[StreamOptions] = []

    def opened(*parts: Any) -> Stream:
        given.append(parts[3])
        return Stream(*parts)

    monkeypatch.setattr(module, "Stream", opened)
    for _ in range(beats):
        services.new_stream(lambda message: None, 20)
    assert {options.phase % beats for options in given} == set(range(beats))
