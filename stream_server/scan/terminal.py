"""What a scan says in the terminal: how far it is, and a few lines on each file."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from stream_server.ingest.files.names import printable
from stream_server.report import words
from stream_server.report.model import FaceReport, Report
from stream_server.scan.progress import Advance

_EVERY = 0.2
_BAR = 24
_FACES = 12


class TerminalProgress:
    """One line that is written over on a terminal; nothing where the output is a file."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out = out or sys.stderr
        self._live = out.isatty()
        self._written = -1.0
        self._width = 0

    def show(self, position: str, name: str, advance: Advance) -> None:
        """``position`` is as "2/7", ``name`` the file."""
        now = time.monotonic()
        if not self._live or now - self._written < _EVERY:
            return
        self._written = now
        full = round(_BAR * advance.share)
        left = "" if advance.left_s is None else f", {words.clock(advance.left_s)} left"
        bar = "#" * full + "-" * (_BAR - full)
        self._write(f"{position} [{bar}] {advance.share:4.0%}{left}  {name[-40:]}")

    def clear(self) -> None:
        """Take the line away, so that other output does not run into it."""
        if self._width:
            self._write("")
            self._out.write("\r")
            self._out.flush()

    def _write(self, line: str) -> None:
        self._out.write("\r" + line.ljust(self._width))
        self._out.flush()
        self._width = len(line)


def tell(report: Report, quiet: bool) -> None:
    """A few lines on one file, on stderr where stdout belongs to the JSON (``quiet``)."""
    out = sys.stderr if quiet else sys.stdout
    if report.error is not None:
        sys.stderr.write(f"fakelight: {printable(str(report.error['detail']))}\n")
        return
    lines = [f"{report.file}: {words.headline(report)}"]
    lines += [
        f"  face {face.track}{_of(face)}: {words.face_line(face)}" for face in report.faces[:_FACES]
    ]
    if len(report.faces) > _FACES:
        lines.append(f"  and {len(report.faces) - _FACES} faces more, see the report")
    if report.provenance["status"] != "absent":
        lines.append(f"  {words.provenance_line(report.provenance)}")
    out.write("\n".join(lines) + "\n")
    out.flush()


def _of(face: FaceReport) -> str:
    return f" ({face.part})" if face.part else ""
