"""What a scan says in the terminal: how far it is, and a few lines on each file."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from stream_server.ingest.files.names import printable
from stream_server.languages import _, _n
from stream_server.languages import tell as in_words
from stream_server.report import words
from stream_server.report.model import FaceReport, Report
from stream_server.scan.progress import Advance
from stream_server.verdict import Verdict

_EVERY = 0.2
_BAR = 24
_FACES = 12
_PASSAGES = 6
_NAME = 40
_LEAST_NAME = 24
_COLOURS: dict[Verdict, str] = {"likely_fake": "1;31", "unsure": "33", "likely_real": "36"}


class TerminalProgress:
    """One line that is written over on a terminal; nothing where the output is a file, or where it
    is to be ``quiet``."""

    def __init__(self, out: TextIO | None = None, quiet: bool = False) -> None:
        self._out = out = out or sys.stderr
        self._live = out.isatty() and not quiet
        self._written = -1.0
        self._width = 0

    def show(self, position: str, name: str, advance: Advance) -> None:
        """``position`` is as "2/7", ``name`` the file."""
        now = time.monotonic()
        if not self._live or now - self._written < _EVERY:
            return
        self._written = now
        shown = cut(name, _NAME)
        if advance.doing:
            self._write(f"{position} {in_words(advance.doing)}  {shown}")
            return
        full = round(_BAR * advance.share)
        left = ""
        if advance.left_s is not None:
            left = ", " + _("{time} left", time=words.clock(advance.left_s))
        bar = "#" * full + "-" * (_BAR - full)
        self._write(f"{position} [{bar}] {advance.share:4.0%}{left}  {shown}")

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


def cut(name: str, width: int) -> str:
    """``name`` in at most ``width`` characters: its beginning and its end, which tell most."""
    if len(name) <= width:
        return name
    head = (width - 1) // 3
    return f"{name[:head]}…{name[len(name) - (width - 1 - head) :]}"


def is_coloured(out: TextIO) -> bool:
    """Whether ``out`` is a terminal that may be coloured (https://no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return out.isatty() and not plain


def tell(report: Report, out: TextIO, quiet: bool = False) -> None:
    """A few lines on one file; only what is wrong with it, on stderr, where it is ``quiet``."""
    if report.error is not None:
        sys.stderr.write(f"fakelight: {printable(in_words(report.error['detail']))}\n")
        return
    if quiet:
        return
    colour = _COLOURS.get(report.verdict) if is_coloured(out) else None
    headline = words.headline(report)
    if colour:
        headline = f"\x1b[{colour}m{headline}\x1b[0m"
    lines = [f"{_named(report.file, out)}: {headline}"]
    for face in report.faces[:_FACES]:
        name = _("face {number}", number=face.track)
        lines.append(f"  {name}{_of(face)}: {words.face_line(face)}")
        if face.stretches:
            lines.append("    " + _("looks manipulated at {times}", times=_passages(face)))
    if len(report.faces) > _FACES:
        more = len(report.faces) - _FACES
        told = _n(
            "and {count} face more, see the report", "and {count} faces more, see the report", more
        )
        lines.append(f"  {told}")
    if report.provenance["status"] != "absent":
        lines.append(f"  {words.provenance_line(report.provenance)}")
    out.write("\n".join(lines) + "\n")
    out.flush()


def conclude(reports: Sequence[Report], out: TextIO) -> None:
    """How often it is right, once, where it has judged anything."""
    judged = (one.accuracy for one in reports if one.probability is not None)
    line = words.accuracy_words(next(filter(None, judged), None))
    if line:
        out.write(f"{line}\n")
        out.flush()


def _named(file: str, out: TextIO) -> str:
    """On a terminal a long path leaves room for what is said of it; elsewhere it is whole."""
    if not out.isatty():
        return file
    return cut(file, max(_LEAST_NAME, shutil.get_terminal_size().columns - _NAME))


def _passages(face: FaceReport) -> str:
    told = [f"{words.clock(a)}-{words.clock(b)}" for a, b in face.stretches[:_PASSAGES]]
    times, more = ", ".join(told), len(face.stretches) - _PASSAGES
    if more <= 0:
        return times
    return _n("{times} and {count} time more", "{times} and {count} times more", more, times=times)


def _of(face: FaceReport) -> str:
    return f" ({in_words(face.part)})" if face.part else ""
