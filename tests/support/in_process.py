"""A server's parts in the test's own process, over a small model repository."""

from __future__ import annotations

from pathlib import Path

from stream_server.engine import open_engine
from stream_server.server.services import Services
from stream_server.settings import load
from tests.support.tiny_repository import tiny_repository

TOKEN = "a-token-for-the-tests"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
EXTENSION = "chrome-extension://" + "a" * 32


def services_in(folder: Path, **settings: object) -> Services:
    """What a server in ``folder`` would share; ``settings`` beyond those that tests need."""
    models = tiny_repository(folder / "models")
    return Services(
        load(state_dir=folder, models=models, **settings), TOKEN, open_engine("embedded", models)
    )
