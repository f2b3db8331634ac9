"""``fakelight database``, over a database of each kind."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stream_server.cli import main
from stream_server.database import Database
from stream_server.migrations import migrate
from stream_server.mistakes.store import CHAIN as MISTAKES
from stream_server.monitors.store.migrate import CHAIN as MONITORS
from stream_server.scan.jobs.store import CHAIN as SCANS
from stream_server.server.pairing.access import CHAIN as PAIRINGS
from stream_server.server.pairing.store import PairingStore


@pytest.fixture
def folder(tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a server over ``address``, which has run."""
    monkeypatch.setenv("FAKELIGHT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FAKELIGHT_DATABASE", address)
    database = Database(address)
    for chain in (MONITORS, PAIRINGS, MISTAKES, SCANS):
        migrate(database, chain)
    PairingStore(database).adopt({"1" * 64: "chrome-extension://a"}, 1.0)
    database.close()
    return tmp_path / "state"


def test_what_is_where_and_pairings_back_to_their_file_and_forward(
    folder: Path, capsys: Any, address: str
) -> None:
    assert main(["database"]) == 0
    told = capsys.readouterr().out
    assert [line.split(",")[0] for line in told.splitlines()] == [
        "monitors: step 0002",
        "pairings: step 0002",
        "mistakes: step 0001",
        "scans: step 0003",
    ]
    assert main(["database", "pairings", "base"]) == 0
    former = json.loads((folder / "paired.json").read_text())
    assert former == {"1" * 64: "chrome-extension://a"}
    assert main(["database", "pairings", "base"]) == 0  # and again: the file stays
    assert json.loads((folder / "paired.json").read_text()) == former
    assert main(["database", "scans", "0001"]) == 0
    assert main(["database", "scans", "head"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "scans: step 0003"


def test_a_step_that_there_is_not_and_a_database_that_is_away(
    folder: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["database", "scans", "9999"]) == 2
    assert "9999" in capsys.readouterr().err
    assert main(["database", "scans"]) == 2
    assert "name the step" in capsys.readouterr().err
    monkeypatch.setenv("FAKELIGHT_DATABASE", "postgresql://me:hidden@127.0.0.1:1/none")
    assert main(["database"]) == 2
    said = capsys.readouterr().err
    assert "does not answer" in said and "hidden" not in said
