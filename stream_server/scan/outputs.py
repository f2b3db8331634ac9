"""Where a scan's results go: checked before the work, written after it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import _, tell, worded
from stream_server.report.model import Report

STDOUT = "-"


@dataclass(frozen=True)
class Outputs:
    """Paths, ``-`` for standard output: ``json`` of one report, or of a list for several files;
    ``jsonl`` of one report a line, whatever their number; ``html`` of a page to read."""

    json: str | None = None
    jsonl: str | None = None
    html: Path | None = None

    @property
    def takes_stdout(self) -> bool:
        """Whether standard output belongs to results, and words go to standard error."""
        return STDOUT in (self.json, self.jsonl)

    @property
    def _targets(self) -> list[str]:
        given = (self.json, self.jsonl, None if self.html is None else str(self.html))
        return [target for target in given if target is not None and target != STDOUT]

    def check(self) -> None:
        """Raise ``UnusableError`` for a path that cannot be written, before hours of work are
        lost to it, and ``ValueError`` for two results on standard output. A file that is there
        stays as it is."""
        if self.json == STDOUT == self.jsonl:
            raise ValueError("--json - and --jsonl -: standard output can hold one of them")
        for target in self._targets:
            path = Path(target)
            try:
                new = not path.exists()
                if not new and not path.is_file() and not path.is_dir():
                    continue  # a pipe or a device: opening it may mean something to the other end
                with path.open("ab"):
                    pass
                if new:
                    path.unlink()
            except OSError as error:
                raise _cannot_write(error, target) from None

    def write(self, reports: Sequence[Report], quiet: bool) -> bool:
        """Write all; says where to, and what is wrong, and returns whether all went well."""
        texts: list[tuple[str, str]] = []
        if self.json is not None:
            found = [report.as_json() for report in reports]
            texts.append((self.json, _json(found[0] if len(found) == 1 else found, 2)))
        if self.jsonl is not None:
            lines = "".join(_json(report.as_json(), None) for report in reports)
            texts.append((self.jsonl, lines))
        if self.html is not None:
            from stream_server.report.html import render

            texts.append((str(self.html), render(reports)))
        # All are tried: one full disk must not cost the others.
        written = [_write(target, text, quiet) for target, text in texts]
        return all(written)


NO_OUTPUTS = Outputs()


def _json(value: Any, indent: int | None) -> str:
    return json.dumps(value, indent=indent, allow_nan=False) + "\n"


def _write(target: str, text: str, quiet: bool) -> bool:
    try:
        if target == STDOUT:
            sys.stdout.write(text)
            sys.stdout.flush()
            return True
        Path(target).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"fakelight: {tell(_cannot_write(error, target).detail)}\n")
        return False
    if not quiet:
        sys.stderr.write(_("report written to {path}", path=target) + "\n")
    return True


def _cannot_write(error: OSError, target: str) -> UnusableError:
    reason = from_os_error(error, target)
    if reason.code == "missing":
        reason = UnusableError(
            "missing", worded("{file}: the folder for it does not exist", file=target)
        )
    elif reason.code == "forbidden":
        reason = UnusableError("forbidden", worded("{file}: it may not be written", file=target))
    return UnusableError(reason.code, worded("cannot write {reason}", reason=reason.detail))
