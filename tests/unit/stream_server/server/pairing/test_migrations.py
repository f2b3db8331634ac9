"""The tables of pairing, forward and back, and what was kept in a file before."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from stream_server.database import Database
from stream_server.migrations import migrate, revision_of
from stream_server.monitors.store.migrate import CHAIN as MONITORS
from stream_server.server.pairing.access import CHAIN
from stream_server.server.pairing.former_file import take_in, write_out
from stream_server.server.pairing.store import PairingStore
from stream_server.server.pairing.tables import Base


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    found = Database(address)
    migrate(found, CHAIN)
    yield found
    found.close()


def test_they_are_what_the_code_says_and_go_away_without_the_monitors(database: Any) -> None:
    migrate(database, MONITORS)
    ours = set(Base.metadata.tables)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_name": lambda name, kind, _: kind != "table" or name in ours},
        )
        assert compare_metadata(context, Base.metadata) == []
    assert revision_of(database, CHAIN) == "0002"
    migrate(database, CHAIN, "0001")
    migrate(database, CHAIN)
    migrate(database, CHAIN, "base")
    left = set(inspect(database.engine).get_table_names())
    assert not left & ours and "monitors" in left
    assert revision_of(database, CHAIN) == "base"
    assert revision_of(database, MONITORS) != "base"


def test_pairings_go_from_the_file_into_the_database_and_back(
    database: Any, tmp_path: Path
) -> None:
    store, file = PairingStore(database), tmp_path / "paired.json"
    former = {"1" * 64: "chrome-extension://a", "2" * 64: ""}
    file.write_text(json.dumps(former))
    take_in(tmp_path, store)
    assert {one.token: one.origin for one in store.all()} == former and not file.exists()
    assert store.forget("1" * 64) == 1
    take_in(tmp_path, store)
    assert [one.token for one in store.all()] == ["2" * 64]  # the file brings nobody back
    # Another server of before comes to the same database with a file of its own.
    file.write_text(json.dumps({"2" * 64: "", "3" * 64: "moz-extension://b"}))
    take_in(tmp_path, store)
    now = {"2" * 64: "", "3" * 64: "moz-extension://b"}
    assert write_out(tmp_path, store) == file
    assert json.loads(file.read_text()) == now and stat.S_IMODE(file.stat().st_mode) == 0o600
    migrate(database, CHAIN, "base")
    migrate(database, CHAIN)
    take_in(tmp_path, store)
    assert {one.token: one.origin for one in store.all()} == now


@pytest.mark.parametrize("text", ["{broken", "[]", "\x00"])
def test_a_damaged_file_means_pairing_again(
    database: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    (tmp_path / "paired.json").write_text(text)
    for _ in range(2):
        take_in(tmp_path, PairingStore(database))
    assert caplog.text.count("pair again") == 1
    assert (tmp_path / "paired.unreadable").read_text() == text
