"""The bus between what happens and who listens."""

from __future__ import annotations

import asyncio
from typing import Any

from stream_server.monitors.events import EventBus


async def all_of(listener: Any) -> list[Any]:
    return [(event.name, event.payload) async for event in listener]


async def test_everybody_hears_everything_in_order() -> None:
    bus = EventBus()
    with bus.subscribe() as one, bus.subscribe() as other:
        waiting = asyncio.create_task(all_of(one))
        await asyncio.sleep(0)
        bus.publish("incident.opened", {"id": "i"})
        bus.publish("incident.closed", {"id": "i"})
        bus.end()
        expected = [("incident.opened", {"id": "i"}), ("incident.closed", {"id": "i"})]
        assert await waiting == await all_of(other) == expected


async def test_a_newer_word_about_a_monitor_takes_the_place_of_the_one_that_waits() -> None:
    bus = EventBus()
    with bus.subscribe() as listener:
        for lag in (1, 2):
            for monitor in ("a", "b"):
                bus.publish("monitor", {"id": monitor, "lag": lag})
        bus.end()
        told = [payload for _, payload in await all_of(listener)]
    assert told == [{"id": "a", "lag": 2}, {"id": "b", "lag": 2}]


async def test_who_falls_behind_is_sent_away_and_misses_nothing_unnoticed() -> None:
    bus = EventBus()
    with bus.subscribe(room=2) as slow, bus.subscribe(room=9) as quick:
        for number in range(5):
            bus.publish("incident.opened", {"id": number})
        bus.end()
        assert [payload["id"] for _, payload in await all_of(slow)] == [0, 1]
        assert [payload["id"] for _, payload in await all_of(quick)] == [0, 1, 2, 3, 4]


async def test_who_has_left_hears_nothing() -> None:
    bus = EventBus()
    with bus.subscribe() as listener:
        pass
    bus.publish("incident.opened", {"id": 1})
    listener.end()
    assert await all_of(listener) == []
