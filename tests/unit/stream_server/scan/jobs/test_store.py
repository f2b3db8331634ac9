from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Integer, MetaData, Table, inspect

from stream_server.database import Database
from stream_server.migrations import migrate
from stream_server.scan.jobs.lock import FileLock
from stream_server.scan.jobs.opening import open_store
from stream_server.scan.jobs.store import CHAIN, MAX_ATTEMPTS, Scan, ScanStore
from stream_server.settings import load


@pytest.fixture
def store(address: str) -> Iterator[Any]:
    found = ScanStore(address, "here")
    yield found
    found.close()


def scan(number: int) -> Scan:
    return Scan(
        id=f"s{number}", file="a.mp4", size=1, window="20", keep=False, created=float(number)
    )


def test_the_oldest_comes_first_and_only_once(store: Any) -> None:
    for number in (2, 1, 3):
        store.add(scan(number))
    assert [store.claim().id for _ in range(3)] == ["s1", "s2", "s3"]
    assert store.claim() is None


def test_what_was_running_is_queued_again_after_a_crash(store: Any, address: str) -> None:
    store.add(scan(1))
    store.claim()
    store.close()
    later = ScanStore(address, "here")
    assert later.recover() == []
    assert later.claim().id == "s1"
    later.close()


def test_a_file_that_takes_the_server_down_is_given_up(store: Any) -> None:
    store.add(scan(1))
    for _ in range(MAX_ATTEMPTS):
        assert store.recover() == []
        assert store.claim().id == "s1"
    assert store.recover() == ["s1"]
    found = store.get("s1")
    assert found.status == "failed" and f"{MAX_ATTEMPTS} times" in found.detail
    assert store.claim() is None


def test_stopping_in_good_order_is_no_crash(store: Any) -> None:
    store.add(scan(1))
    for _ in range(MAX_ATTEMPTS + 2):
        store.claim()
        store.put_back("s1")
    assert store.recover() == []
    assert store.get("s1").attempts == 0


def test_a_cancelled_scan_is_not_finished_after_all(store: Any) -> None:
    store.add(scan(1))
    store.claim()
    assert store.finish("s1", "cancelled")
    assert not store.finish("s1", "done", verdict="likely_real")
    assert store.get("s1").status == "cancelled"


def test_results_are_forgotten_in_time_and_open_scans_never(store: Any) -> None:
    for number in (1, 2):
        store.add(scan(number))
    store.finish("s1", "done", report="{}", page="<p>")
    assert store.report("s1") == "{}" and store.page("s1") == "<p>"
    assert store.expire(before=0) == []
    assert store.expire(before=1e12) == ["s1"]
    assert [found.id for found in store.all()] == ["s2"]


def test_how_many_come_before(store: Any) -> None:
    for number in (1, 2, 3):
        store.add(scan(number))
    assert store.ahead_of(store.get("s3")) == 2
    store.finish("s1", "cancelled")
    assert store.ahead_of(store.get("s3")) == 1
    assert store.waiting() == 2


def test_a_lock_is_held_by_one(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.acquire() and first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()


def test_servers_that_share_the_table_work_on_their_own_files(store: Any, address: str) -> None:
    there = ScanStore(address, "there")
    store.add(scan(1))
    there.add(scan(2))
    assert there.waiting() == store.waiting() == 1
    assert there.ahead_of(store.get("s2")) == 0
    assert store.claim().id == "s1" and store.claim() is None
    assert there.recover() == [] and there.get("s1").status == "running"
    assert there.is_elsewhere(there.get("s1")) and not store.is_elsewhere(store.get("s1"))
    assert store.advance("s1", 0.5, 20.0)
    seen = there.get("s1")
    assert (seen.share, seen.left_s) == (0.5, 20.0)
    assert there.finish("s1", "cancelled")
    assert not store.advance("s1", 0.6, 10.0)
    assert store.expire(before=10.0) == []
    waited_in_vain = store.get("s2")
    assert waited_in_vain.status == "failed" and "did not come back" in waited_in_vain.detail
    there.close()


def test_a_file_that_is_to_stay_is_needed(store: Any) -> None:
    for number in (1, 2, 3):
        store.add(scan(number))
    kept = scan(4)
    kept.keep = True
    store.add(kept)
    store.claim()
    for number in (2, 4):
        store.finish(f"s{number}", "done")
    assert store.needed() == {"s1", "s3", "s4"}


def test_the_migrations_build_what_the_table_says_and_go_back(store: Any, address: str) -> None:
    database = Database(address)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        found = compare_metadata(context, Scan.metadata)
    # Whose steps these are stands in a table that the code does not describe.
    assert [change[1].name for change in found if change[0] == "remove_table"] == ["scans_version"]
    assert len(found) == 1
    large = scan(1)
    large.size = 8 * 1024**3
    store.add(large)
    store.finish("s1", "done", report="{}", page="<p>")
    migrate(database, CHAIN, "0001")
    columns = {column["name"] for column in inspect(database.engine).get_columns("scans")}
    assert "place" not in columns and "report" in columns
    migrate(database, CHAIN)
    assert store.get("s1").size == large.size and store.report("s1") == "{}"
    migrate(database, CHAIN, "base")
    assert "scans" not in inspect(database.engine).get_table_names()
    database.close()


def made_before(address: str, *ids: str) -> None:
    """A table as servers made it that knew no migrations, with scans in it."""
    database = Database(address)
    with database.schema() as connection:
        new = ("place", "share", "left_s", "language")
        columns = [copy(column) for column in Scan.__table__.columns if column.name not in new]
        table = Table("scans", MetaData(), *columns)
        table.create(connection)
        made = {"file": "a.mp4", "size": 1, "window": "20", "keep": False, "status": "running"}
        rows = [{"id": one, "created": 1.0, "attempts": 1, **made} for one in ids]
        connection.execute(table.insert(), rows)
    database.close()


def copy(column: Any) -> Column[Any]:
    kind = Integer() if column.name == "size" else column.type
    return Column(column.name, kind, primary_key=column.primary_key, nullable=column.nullable)


def test_scans_of_a_server_of_before_go_on_where_their_files_are(address: str) -> None:
    made_before(address, "here", "elsewhere")
    store = ScanStore(address, "here")
    assert store.recover(["here"]) == []
    assert [store.claim().id, store.claim()] == ["here", None]
    assert store.get("elsewhere").status == "running"
    store.close()


def test_scans_move_from_the_folder_into_the_database_that_servers_share(
    tmp_path: Path, address: str
) -> None:
    alone = open_store(load(state_dir=tmp_path / "state"))
    for number in (1, 2):
        alone.add(scan(number))
    alone.finish("s1", "done", report='{"a": 1}', page="<p>")
    alone.close()
    settings = load(state_dir=tmp_path / "state", database=address)
    for _ in range(2):
        shared = open_store(settings)
        assert shared.report("s1") == '{"a": 1}' and shared.page("s1") == "<p>"
        assert [found.id for found in shared.all()] == ["s2", "s1"]
        assert shared.recover() == []
        shared.close()
    again = open_store(settings)
    assert again.claim().id == "s2"
    again.remove("s1")
    again.close()
    again = open_store(settings)
    assert [found.id for found in again.all()] == ["s2"]  # what was removed does not come back
    again.close()
    assert (tmp_path / "state" / "scans.sqlite.moved").exists()


@pytest.mark.parametrize("spelling", ["{0}/../state/scans.sqlite", "{0}/link/scans.sqlite"])
def test_a_file_that_is_the_database_stays_however_it_is_spelled(
    tmp_path: Path, spelling: str
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "link").symlink_to(state)
    settings = load(state_dir=state, scan_database="sqlite:///" + spelling.format(state))
    for _ in range(2):
        store = open_store(settings)
        store.add(scan(len(store.all())))
        store.close()
    store = open_store(settings)
    assert len(store.all()) == 2
    store.close()
