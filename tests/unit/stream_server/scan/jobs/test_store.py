from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_server.scan.jobs.lock import FileLock
from stream_server.scan.jobs.store import MAX_ATTEMPTS, Scan, ScanStore


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Any]:
    found = ScanStore(f"sqlite:///{tmp_path / 'scans.sqlite'}")
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


def test_what_was_running_is_queued_again_after_a_crash(store: Any, tmp_path: Path) -> None:
    store.add(scan(1))
    store.claim()
    store.close()
    later = ScanStore(f"sqlite:///{tmp_path / 'scans.sqlite'}")
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
