"""A server's parts in the test's own process, over a small model repository."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from stream_server.engine import open_engine
from stream_server.migrations import migrate
from stream_server.mistakes.store import CHAIN as MISTAKES
from stream_server.monitors.store.migrate import open_database
from stream_server.scan.jobs.opening import open_store
from stream_server.server.pairing.access import CHAIN as PAIRINGS
from stream_server.server.services import Services
from stream_server.settings import load
from tests.support.tiny_repository import tiny_repository

TOKEN = "a-token-for-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
EXTENSION = "chrome-extension://" + "a" * 32


def services_in(folder: Path, **settings: object) -> Services:
    """What a server in ``folder`` would share; ``settings`` beyond those that tests need. Its
    databases have their tables, unless ``folder`` has databases already."""
    for name, content in _databases().items():
        if not (folder / name).exists():
            os.close(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600))
            (folder / name).write_bytes(content)
    models = tiny_repository(folder / "models")
    return Services(
        load(state_dir=folder, models=models, **settings), TOKEN, open_engine("embedded", models)
    )


@cache
def _databases() -> dict[str, bytes]:
    # To make the tables would be half of what each of hundreds of servers takes to start.
    with TemporaryDirectory() as folder:
        settings = load(state_dir=folder)
        open_store(settings).close()
        database = open_database(settings)
        for chain in (PAIRINGS, MISTAKES):
            migrate(database, chain)
        database.close()
        return {path.name: path.read_bytes() for path in Path(folder).glob("*.sqlite")}
