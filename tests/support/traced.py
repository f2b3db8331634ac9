"""A process under strace: where it and its children connect to, and what they create."""

from __future__ import annotations

import ipaddress
import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stream_server import no_telemetry
from tests.support.paths import ROOT

_CALLS = "%network,?open,openat,?creat,?mkdir,mkdirat"
_STRACE = ("strace", "-f", "--seccomp-bpf", "-q", "-y", "-D", "-e", f"trace={_CALLS}")
_REACHING = re.compile(r" (?:connect|bind|sendto|sendmsg|sendmmsg)\(")
_ADDRESS = re.compile(
    r'sin_port=htons\((\d+)\), sin_addr=inet_addr\("([^"]+)"\)'
    r'|sin6_port=htons\((\d+)\).*?inet_pton\(AF_INET6, "([^"]+)"'
)
_CREATING = re.compile(
    r" (?:(?:open|openat|mkdirat)\((?:(?:AT_FDCWD|\d+)<(?P<at>[^>]*)>, )?|(?:creat|mkdir)\()"
    r'"(?P<path>[^"]*)"'
)
_OF_THE_TESTS = ("FAKELIGHT_", "XDG_", "COVERAGE_")  # the last would write its measurements
_NAMES_PORT = 53  # a look-up may go through a resolver on loopback


@cache
def cannot_trace() -> str | None:
    """Why processes cannot be traced here; ``None`` where they can."""
    try:
        subprocess.run([*_STRACE, "-o", os.devnull, "true"], check=True, capture_output=True)
    except FileNotFoundError:
        return "strace is not installed; scripts/test_setup.sh installs it"
    except subprocess.CalledProcessError as error:
        return f"strace may not trace here: {error.stderr.decode().strip()[:200]}"
    return None


@dataclass(frozen=True)
class Trace:
    """What a process did; ``folder`` held its home, its state and its temporary files."""

    folder: Path
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()

    def reached(self) -> set[tuple[str, int]]:
        """Every internet address and port that was bound, connected to or sent to."""
        return {
            (found[2] or found[4], int(found[1] or found[3]))
            for line in self.lines
            if _REACHING.search(line)
            for found in _ADDRESS.finditer(line)
        }

    def outside(self) -> set[tuple[str, int]]:
        """Those that leave the machine, or ask for a name."""
        return {
            (address, port)
            for address, port in self.reached()
            if not ipaddress.ip_address(address).is_loopback or port == _NAMES_PORT
        }

    def created(self) -> set[Path]:
        """Files and folders that the process made or would have made, devices apart."""
        paths = set()
        for line in self.lines:
            found = _CREATING.search(line)
            if found and ("O_CREAT" in line or " creat(" in line or " mkdir" in line):
                paths.add(Path(os.path.normpath(Path(found["at"] or ROOT, found["path"]))))
        return {path for path in paths if not path.is_relative_to("/dev")}

    def created_elsewhere(self) -> set[Path]:
        """Those that are neither state nor a temporary file."""
        allowed = (self.folder / "state", self.folder / "tmp")
        return {
            path for path in self.created() if not any(path.is_relative_to(one) for one in allowed)
        }


class Traced:
    """Starts a Python process in ``folder`` that knows nothing of the tests' environment."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        for name in ("home", "state", "tmp"):
            (folder / name).mkdir(parents=True)
        clean = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(_OF_THE_TESTS) and name not in no_telemetry.FORBIDDING
        }
        mine = {
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "FAKELIGHT_STATE_DIR": str(folder / "state"),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self._folder = folder
        self._log = folder / "trace"
        with (folder / "output").open("wb") as output:
            # With -D strace runs beside: this is the process itself, and signals reach it.
            self.process = subprocess.Popen(
                [*_STRACE, "-o", str(self._log), sys.executable, *arguments],
                cwd=folder,
                env=clean | mine,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def output(self) -> str:
        return (self._folder / "output").read_text()

    def finish(self, seconds: float, *statuses: int) -> Trace:
        """What it did, once it has ended with one of ``statuses``."""
        status = self.process.wait(seconds)
        assert status in statuses, f"status {status}:\n{self.output}"
        end = re.compile(rf"^{self.process.pid} +\+\+\+ exited", re.MULTILINE)
        deadline = time.monotonic() + 60
        while not end.search(text := self._log.read_text(errors="replace")):
            assert time.monotonic() < deadline, "strace did not finish its log"
            time.sleep(0.1)
        return Trace(self._folder, text)
