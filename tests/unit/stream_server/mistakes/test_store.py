"""The list of mistakes, in a database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from stream_server.database import Database
from stream_server.migrations import migrate
from stream_server.mistakes import store
from stream_server.mistakes.store import CHAIN, MOST_AN_HOUR, MistakeList
from stream_server.mistakes.tables import Base, Mistake
from stream_server.problem import ProblemError
from stream_server.settings import load


@pytest.fixture
def mistakes(address: str, tmp_path: Path) -> Iterator[MistakeList]:
    found = MistakeList(load(state_dir=tmp_path / "state", database=address))
    yield found
    found.close()


def mistake(number: int, holder: str = "one", still: bytes | None = None) -> Mistake:
    return Mistake(
        id=f"m{number:03}",
        holder=holder,
        verdict="likely_fake",
        label="real",
        probability=0.9,
        note=f"number {number}",
        title="A page",
        site="https://site.test",
        clock="media",
        from_s=1.0,
        to_s=2.0,
        seen_at=1700000000.0,
        extension="1",
        server="2",
        models=["a", "b"],
        still_type="" if still is None else "image/png",
        still=still,
    )


def test_kept_read_in_pages_and_forgotten(mistakes: MistakeList) -> None:
    for number in range(5):
        mistakes.add(mistake(number, still=bytes([number]) if number else None), 10)
    newest = mistakes.find(limit=2)
    assert [one.id for one in newest] == ["m004", "m003"]
    assert [one.id for one in mistakes.find(newest[-1].id)] == ["m002", "m001", "m000"]
    assert [one.id for one in mistakes.all()] == ["m004", "m003", "m002", "m001", "m000"]
    found = mistakes.get("m003")
    assert found is not None and (found.note, found.models) == ("number 3", ["a", "b"])
    assert mistakes.still("m003") == ("image/png", b"\x03")
    assert mistakes.still("m000") is None and mistakes.still("nobody") is None
    assert mistakes.remove("m003") and not mistakes.remove("m003")
    assert mistakes.get("m003") is None and mistakes.still("m003") is None


def test_all_are_read_once_though_some_are_deleted_meanwhile(
    mistakes: MistakeList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "_PAGE", 2)
    for number in range(5):
        mistakes.add(mistake(number), 10)
    read = []
    for one in mistakes.all():
        read.append(one.id)
        if one.id == "m003":  # the last of what was read at once
            mistakes.remove("m003")
    assert read == ["m004", "m003", "m002", "m001", "m000"]
    with pytest.raises(ProblemError, match="m003") as gone:
        mistakes.find("m003")
    assert gone.value.status == 404


def test_a_full_list_and_a_hasty_sender_are_told_the_limit(mistakes: MistakeList) -> None:
    for number in range(MOST_AN_HOUR):
        mistakes.add(mistake(number), 1000)
    with pytest.raises(ProblemError, match=f"the limit is {MOST_AN_HOUR}") as hasty:
        mistakes.add(mistake(900), 1000)
    assert hasty.value.status == 429 and 0 < int(hasty.value.headers["Retry-After"]) <= 3600
    with pytest.raises(ProblemError, match=f"{MOST_AN_HOUR} mistakes on the list") as full:
        mistakes.add(mistake(901, holder="another"), MOST_AN_HOUR)
    assert full.value.status == 507
    mistakes.add(mistake(902, holder="another"), 1000)
    assert len(list(mistakes.all())) == MOST_AN_HOUR + 1


def test_forward_and_back_beside_what_else_is_in_the_database(address: str) -> None:
    database = Database(address)
    migrate(database, CHAIN)
    with database.engine.connect() as connection:
        options = {"version_table": CHAIN.table}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
    migrate(database, CHAIN, "base")
    assert set(inspect(database.engine).get_table_names()) <= {CHAIN.table}
    migrate(database, CHAIN)
    assert "mistakes" in inspect(database.engine).get_table_names()
    database.close()


def test_a_list_of_a_later_version_is_left_alone(mistakes: MistakeList, address: str) -> None:
    mistakes.add(mistake(1), 10)
    database = Database(address)
    with database.write() as session:
        session.execute(text(f"UPDATE {CHAIN.table} SET version_num = '9999'"))
    database.close()
    later = MistakeList(mistakes._settings)
    with pytest.raises(ProblemError, match="9999") as refused:
        later.find()
    assert refused.value.status == 503
    later.close()


def test_a_database_that_is_no_address_is_said(tmp_path: Path) -> None:
    mistakes: Any = MistakeList(load(state_dir=tmp_path, database="mysql://x/y"))
    with pytest.raises(ProblemError, match="mysql"):
        mistakes.find()
    mistakes.close()
