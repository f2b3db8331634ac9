"""Which database has the scans, and what of the one before moves there."""

from __future__ import annotations

import logging
from pathlib import Path

from stream_server.database import parsed_address
from stream_server.scan.jobs.place import place_of
from stream_server.scan.jobs.store import ScanStore
from stream_server.settings import Settings

_log = logging.getLogger(__name__)


def scans_address(settings: Settings) -> str:
    """Where they are kept, in SQLAlchemy's form."""
    file = settings.state_dir / "scans.sqlite"
    return settings.scan_database or settings.database or f"sqlite:///{file}"


def open_store(settings: Settings) -> ScanStore:
    """The table of scans. Raises as ``ScanStore`` does, and ``OSError``.

    Scans that were kept in a file of the state folder move into the database once there is one, and
    the file is called ``scans.sqlite.moved`` then.
    """
    place = place_of(settings.state_dir)
    store = ScanStore(scans_address(settings), place)
    former = settings.state_dir / "scans.sqlite"
    try:
        if former.exists() and not _lies_in(former, scans_address(settings)):
            other = ScanStore(f"sqlite:///{former}")
            try:
                store.take_in(other)
            finally:
                other.close()
            former.replace(former.with_name("scans.sqlite.moved"))
            _log.info("the scans of %s are in the database now", former)
    except BaseException:
        store.close()
        raise
    return store


def _lies_in(file: Path, address: str) -> bool:
    # By the file, not by its spelling: one that is in use must not be moved away.
    url = parsed_address(address)
    if url.get_backend_name() != "sqlite" or not url.database:
        return False
    return Path(url.database).resolve() == file.resolve()
