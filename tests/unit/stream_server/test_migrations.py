"""Several chains of one process, each in a database of its own, at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect

from stream_server.database import Database
from stream_server.migrations import migrate, revision_of
from stream_server.mistakes.store import CHAIN as MISTAKES
from stream_server.monitors.store.migrate import CHAIN as MONITORS
from stream_server.scan.jobs.store import CHAIN as SCANS
from stream_server.server.pairing.access import CHAIN as PAIRINGS


def test_at_the_same_time_each_finds_its_own_database(tmp_path: Path) -> None:
    chains = [MONITORS, SCANS, PAIRINGS, MISTAKES] * 4
    databases = [Database(f"sqlite:///{tmp_path / f'{i}%d.sqlite'}") for i in range(len(chains))]
    with ThreadPoolExecutor(len(chains)) as threads:
        list(threads.map(migrate, databases, chains))
    for database, chain in zip(databases, chains, strict=True):
        assert revision_of(database, chain) != "base"
        assert chain.table in inspect(database.engine).get_table_names()
        database.close()
