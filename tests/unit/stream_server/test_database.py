"""Opening a database, as several parts of a server and several servers do at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from sqlalchemy import text

from stream_server.database import Database

TOGETHER, TIMES = 6, 60


def test_several_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    start = Barrier(TOGETHER)

    def first(path: Path) -> str:
        start.wait(60)
        database = Database(f"sqlite:///{path}")
        with database.schema() as connection:
            connection.execute(text("CREATE TABLE IF NOT EXISTS one (two)"))
            mode = str(connection.execute(text("PRAGMA journal_mode")).scalar())
        database.close()
        return mode

    with ThreadPoolExecutor(TOGETHER) as people:
        for number in range(TIMES):
            paths = [tmp_path / f"{number}.sqlite"] * TOGETHER
            assert set(people.map(first, paths)) == {"wal"}
