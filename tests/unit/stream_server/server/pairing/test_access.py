"""A database that is not there, hangs, comes back, or is of a later version."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from stream_server.database import Database
from stream_server.server.pairing import access as module
from stream_server.server.pairing.access import DatabaseAwayError, PairingAccess
from stream_server.server.pairing.store import PairingStore
from stream_server.settings import load
from tests.support.postgres import needs_postgres, running_postgres


async def away(access: PairingAccess) -> None:
    with pytest.raises(DatabaseAwayError) as caught:
        await access.ask(PairingStore.all)
    assert caught.value.status == 503 and caught.value.headers["Retry-After"]


@needs_postgres
async def test_one_that_goes_and_comes_is_told_once_each_and_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    caplog.set_level("INFO")
    with running_postgres() as server:
        address = server.database() + "&password=hidden"
        access = PairingAccess(load(state_dir=tmp_path, database=address))
        await asyncio.to_thread(server.stop)
        for _ in range(3):
            await away(access)
        await asyncio.to_thread(server.start)
        assert await access.ask(PairingStore.all) == []
        access.close()
    said = [record.getMessage() for record in caplog.records if "paired" in record.message]
    assert [line.rpartition(" (")[0] or line for line in said] == [
        "the database of paired browsers does not answer",
        "the database of paired browsers answers again",
    ]
    assert "hidden" not in caplog.text


async def test_one_that_hangs_holds_up_nobody_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = PairingAccess(load(state_dir=tmp_path))
    await access.ask(PairingStore.all)
    monkeypatch.setattr(module, "_PATIENCE", 0.1)
    over = threading.Event()

    def hang(store: PairingStore) -> Any:
        over.wait(60)

    with pytest.raises(DatabaseAwayError):
        await access.ask(hang)
    monkeypatch.setattr(module, "_PATIENCE", 30.0)
    assert await access.ask(PairingStore.all) == []
    over.set()
    access.close()


@pytest.mark.parametrize("address", ["mysql://h/n", "nonsense"])
async def test_an_address_that_is_none_is_said(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    access = PairingAccess(load(state_dir=tmp_path, database=address))
    await away(access)
    access.close()
    assert "mysql" in caplog.text or "cannot be read" in caplog.text


async def test_one_of_a_later_version_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = load(state_dir=tmp_path)
    access = PairingAccess(settings)
    await access.ask(PairingStore.all)
    access.close()
    database = Database(f"sqlite:///{tmp_path / 'monitors.sqlite'}")
    with database.write() as session:
        session.execute(text("UPDATE pairings_version SET version_num = '9999'"))
    database.close()
    later = PairingAccess(settings)
    await away(later)
    later.close()
    assert "9999" in caplog.text
