from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_server.server.pairing.access import PairingAccess
from stream_server.server.pairing.pairings import Pairings
from stream_server.settings import load


class Clock:
    """Time as the database has it and as this process has it, in seconds."""

    now = 1_000_000.0

    def __call__(self, session: Any = None) -> float:
        del session
        return self.now


class Replica:
    """One of the servers that share a database: what it showed, and what it counted."""

    def __init__(self, folder: Path, address: str, clock: Clock) -> None:
        self.folder = folder
        settings = load(state_dir=folder, database=address)
        self.shown: list[tuple[str, str]] = []
        self.counted: list[str] = []
        self.access = PairingAccess(settings, clock)
        self.pairings = Pairings(
            self.access,
            show=lambda digits, origin: self.shown.append((digits, origin)),
            clock=clock,
            observe=self.counted.append,
        )


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replicas(tmp_path: Path, address: str, clock: Clock) -> Iterator[Any]:
    """Two, over one database of each kind, with a state folder each."""
    found = [Replica(tmp_path / name, address, clock) for name in ("one", "two")]
    for one in found:
        one.folder.mkdir()
    yield found
    for one in found:
        one.access.close()
