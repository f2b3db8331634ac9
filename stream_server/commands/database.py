"""``fakelight database``: what is kept where, and back to the tables of an earlier version."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from stream_server.database import Database, shared_address
from stream_server.migrations import Chain, migrate, revision_of
from stream_server.mistakes.store import CHAIN as MISTAKES
from stream_server.monitors.store.migrate import CHAIN as MONITORS
from stream_server.scan.jobs.opening import scans_address
from stream_server.scan.jobs.store import CHAIN as SCANS
from stream_server.server.pairing.access import CHAIN as PAIRINGS
from stream_server.server.pairing.former_file import write_out
from stream_server.server.pairing.store import PairingStore
from stream_server.settings import Settings


@dataclass(frozen=True)
class _Part:
    chain: Chain
    address: Callable[[Settings], str]


_PARTS = {
    "monitors": _Part(MONITORS, shared_address),
    "pairings": _Part(PAIRINGS, shared_address),
    "mistakes": _Part(MISTAKES, shared_address),
    "scans": _Part(SCANS, scans_address),
}


def show(settings: Settings) -> int:
    """Print each part, the kind of its database, and the step that it is at."""
    for name, part in _PARTS.items():
        with _opened(part, settings) as database:
            step = revision_of(database, part.chain)
            where = database.engine.url.render_as_string(hide_password=True)
            sys.stdout.write(f"{name}: step {step}, in {where}\n")
    return 0


def go(settings: Settings, name: str, step: str) -> int:
    """Bring one part to ``step``; pairings go back into the file that they once were in.

    Raises ``ValueError`` for a step that there is not, or a database that does not answer.
    """
    part = _PARTS[name]
    with _opened(part, settings) as database:
        if name == "pairings" and step == "base" and revision_of(database, part.chain) != "base":
            file = write_out(settings.state_dir, PairingStore(database))
            sys.stdout.write(f"pairings are in {file} now\n")
        migrate(database, part.chain, step)
        sys.stdout.write(f"{name}: step {revision_of(database, part.chain)}\n")
    return 0


@contextmanager
def _opened(part: _Part, settings: Settings) -> Iterator[Database]:
    database = Database(part.address(settings))
    try:
        yield database
    except CommandError as error:
        raise ValueError(str(error)) from None
    except SQLAlchemyError as error:  # its words may hold the address
        raise ValueError(f"the database does not answer ({type(error).__name__})") from None
    finally:
        database.close()
