"""Which database has the scans, and what of the one before moves there."""

from __future__ import annotations

import logging

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
        if former.exists() and scans_address(settings) != f"sqlite:///{former}":
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
