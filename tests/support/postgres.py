"""A real PostgreSQL of the tests' own, which listens in a folder and nowhere else."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

_ALL = Path("/usr/lib/postgresql")
MISSING = "PostgreSQL is not installed"
# Whoever is still connected may hold locks.
_EMPTY = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid();
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;
"""


def _programs() -> Path | None:
    """The folder of the newest ``initdb``; Debian keeps it off the PATH."""
    found = sorted(_ALL.glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    elsewhere = shutil.which("initdb")
    return found[-1].parent if found else Path(elsewhere).parent if elsewhere else None


needs_postgres = pytest.mark.skipif(_programs() is None, reason=MISSING)


class Postgres:
    """A running server; ``database()`` makes an empty database and gives its address, ``lent()``
    lends one."""

    def __init__(self, folder: Path, programs: Path, as_user: list[str]) -> None:
        self.folder = folder
        self._programs = programs
        self._as_user = as_user
        self._killed = False
        self._idle: list[str] = []

    def database(self) -> str:
        """The address of a new database."""
        name = f"t{secrets.token_hex(6)}"
        self._ask("postgres", f"CREATE DATABASE {name}")
        return f"postgresql://postgres@/{name}?host={self.folder}"

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of an empty database, which is emptied afterwards and lent again: to make
        one writes 300 files."""
        address = self._idle.pop() if self._idle else self.database()
        yield address
        self._ask(address.partition("?")[0].rpartition("/")[2], _EMPTY)
        self._idle.append(address)

    def start(self) -> None:
        """Begin to serve; also after ``stop``."""
        # Nothing here is to survive a power cut, only a kill of its clients.
        options = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        options += " -c max_connections=200"
        log = str(self.folder / "log")
        data = str(self.folder / "data")
        self._run("pg_ctl", "-D", data, "-l", log, "-o", options, "-w", "-t", "120", "start")
        self._killed = False

    def stop(self) -> None:
        """Cut every connection; nothing to do for one that was killed."""
        if not self._killed:
            self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """Gone at a blow, its connections with it."""
        number = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
        server = psutil.Process(number)
        # Those that serve a connection would answer once more before they miss their parent.
        everyone = [server, *server.children(recursive=True)]
        for one in everyone:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        psutil.wait_procs(everyone, timeout=60)
        self._killed = True
        for socket in self.folder.glob(".s.PGSQL.*"):
            socket.unlink()

    def init(self) -> None:
        """Make its data folder."""
        data = str(self.folder / "data")
        self._run("initdb", "-D", data, "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8")

    def _ask(self, name: str, statements: str) -> None:
        self._run("psql", "-h", str(self.folder), "-U", "postgres", "-d", name, "-c", statements)

    def _run(self, program: str, *arguments: str) -> None:
        command = [*self._as_user, str(self._programs / program), *arguments]
        # To a file: the server would hold on to a pipe, which is read until nobody has it.
        with tempfile.TemporaryFile() as said:
            ran = subprocess.run(
                command, cwd=self.folder, stdout=said, stderr=said, timeout=180, check=False
            )
            said.seek(0)
            assert ran.returncode == 0, f"{program}: {said.read().decode()}"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """Start one in a folder that goes with it. It refuses to run as root, so root becomes the
    user that Debian's package has made for it."""
    programs = _programs()
    assert programs is not None, MISSING
    folder = Path(tempfile.mkdtemp(prefix="fakelight-pg-"))
    as_user: list[str] = []
    if os.getuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(folder, user.pw_uid, user.pw_gid)
        ids = [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
        as_user = ["setpriv", *ids, "--clear-groups"]
    server = Postgres(folder, programs, as_user)
    try:
        server.init()
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
