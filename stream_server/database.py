"""One way to open a database: SQLite in a file, or PostgreSQL by address."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import Session

from stream_server.settings import Settings

_WRITES = "fakelight_writes"
_SQLITE_WAITS = 30.0  # seconds for another's transaction to end
# Of a host that is gone nobody would hear for minutes; the address may say otherwise.
_PATIENCE = {"connect_timeout": "5", "tcp_user_timeout": "10000", "keepalives_idle": "30"}


class DatabaseAddressError(ValueError):
    """An address that no database can be opened by; the message shows no password."""


class Database:
    """The database behind ``address`` (SQLAlchemy's form). Blocking; call it from threads.

    An SQLite file is made readable by its owner only. Raises ``DatabaseAddressError`` for an
    address that cannot be used, and ``sqlalchemy.exc.SQLAlchemyError`` for a database that does
    not answer or is full.
    """

    def __init__(self, address: str) -> None:
        url = parsed_address(address)
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            _keep_private(url)
            # What is written may be an address with a password, and errors end in logs.
            self.engine: Engine = create_engine(url, hide_parameters=True)
            event.listen(self.engine, "connect", _careful)
            event.listen(self.engine, "begin", _begin)
        else:
            # A connection that the server or a firewall has dropped is made again, unnoticed.
            self.engine = create_engine(
                url, pool_pre_ping=True, hide_parameters=True, connect_args=_patience(url)
            )
        self._writing = self.engine.execution_options(**{_WRITES: True})

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that sees one state of the data and changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session in one transaction: all of it, or nothing. At its end it survives a power cut.

        SQLite has one writer at a time; the next waits for it here, and not halfway through.
        """
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def schema(self) -> Iterator[Connection]:
        """A connection in one transaction that may change the tables.

        SQLite alters a table by copying and dropping it, which must not remove what refers to it.
        """
        with self._writing.connect() as connection:
            self._heed_references(connection, False)
            try:
                with connection.begin():
                    yield connection
            finally:
                self._heed_references(connection, True)

    def now(self, session: Session) -> float:
        """Unix seconds by the one clock of all who share the database: PostgreSQL's, or that of
        the machine on which an SQLite file lies."""
        if self.is_sqlite:
            return time.time()
        return float(session.scalars(select(func.extract("epoch", func.clock_timestamp()))).one())

    def _heed_references(self, connection: Connection, heed: bool) -> None:
        if self.is_sqlite:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.cursor().execute(f"PRAGMA foreign_keys={'ON' if heed else 'OFF'}")

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()


def shared_address(settings: Settings) -> str:
    """Where lies what servers share: ``settings.database``, or a file of the state folder."""
    return settings.database or f"sqlite:///{settings.state_dir / 'monitors.sqlite'}"


def _patience(url: URL) -> dict[str, str]:
    if url.drivername != "postgresql+psycopg":
        return {}
    return {name: value for name, value in _PATIENCE.items() if name not in url.query}


def parsed_address(address: str) -> URL:
    """``address`` as it is opened. Raises ``DatabaseAddressError``."""
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # Neither the address nor what SQLAlchemy says of it: a password may be in both.
        raise DatabaseAddressError(
            "the database's address cannot be read; it is like"
            " postgresql://USER:PASSWORD@HOST/NAME or sqlite:////FOLDER/FILE"
        ) from None
    if url.drivername in ("postgres", "postgresql"):
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in ("postgresql", "sqlite"):
        raise DatabaseAddressError(f"no database {url.drivername!r}; there are postgresql, sqlite")
    if url.drivername == "postgresql+psycopg" and find_spec("psycopg") is None:
        raise DatabaseAddressError("PostgreSQL needs the extra: pip install 'fakelight[postgres]'")
    return url


def _keep_private(url: URL) -> None:
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # SQLite gives its journals the permissions of the file.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _careful(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None  # transactions begin below, not where the driver thinks
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={round(_SQLITE_WAITS * 1000)}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Readers need not wait for the writer.

    Where two open a new file at once, SQLite refuses one of them without the wait that it keeps
    everywhere else (https://sqlite.org/wal.html, "Sometimes Queries Return SQLITE_BUSY").
    """
    until = time.monotonic() + _SQLITE_WAITS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
        time.sleep(0.01)


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    # One that reads first and writes later cannot wait for another writer: SQLite refuses it.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
