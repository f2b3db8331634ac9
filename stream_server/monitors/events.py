"""What happens to monitors and incidents, told to whoever listens in this process."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

EventName = Literal["monitor", "incident.opened", "incident.closed"]
_ROOM = 256


@dataclass(frozen=True)
class Event:
    """``payload`` is what the HTTP interface shows: a monitor, or an incident."""

    name: EventName
    payload: dict[str, Any]


class Subscription:
    """One listener's events, in their order; iterate over it.

    A newer word about a monitor takes the place of one that still waits. A listener that falls
    further behind than there is room for is sent away, and reads anew what there is: to leave
    events out without a word would be worse.
    """

    def __init__(self, room: int) -> None:
        self._room = room
        self._waiting: deque[Event] = deque()
        self._woken = asyncio.Event()
        self._over = False

    def put(self, event: Event) -> None:
        """Take in an event; never waits."""
        if self._over:
            return
        if event.name == "monitor":
            for place, waiting in enumerate(self._waiting):
                if waiting.name == "monitor" and waiting.payload["id"] == event.payload["id"]:
                    self._waiting[place] = event
                    return
        if len(self._waiting) >= self._room:
            self.end()
            return
        self._waiting.append(event)
        self._woken.set()

    def end(self) -> None:
        """There will be no more."""
        self._over = True
        self._woken.set()

    async def next(self) -> Event | None:
        """The next event, ``None`` at the end."""
        while not self._waiting:
            if self._over:
                return None
            self._woken.clear()
            await self._woken.wait()
        return self._waiting.popleft()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.next()) is not None:
            yield event


class EventBus:
    """Hands every event to every listener. ``publish`` is called on the event loop's own thread."""

    def __init__(self) -> None:
        self._listeners: set[Subscription] = set()

    def publish(self, name: EventName, payload: dict[str, Any]) -> None:
        """Tell everybody; never waits."""
        for listener in list(self._listeners):
            listener.put(Event(name, payload))

    @contextmanager
    def subscribe(self, room: int = _ROOM) -> Iterator[Subscription]:
        """Listen from now on; ``room`` is how many events may wait."""
        listener = Subscription(room)
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    def end(self) -> None:
        """Send everybody away, as when the server stops."""
        for listener in list(self._listeners):
            listener.end()
