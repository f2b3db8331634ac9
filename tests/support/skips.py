"""A run fails where a test is skipped for a reason that is not on the list; each is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ANYWHERE, LOCAL = "anywhere", "local"


@dataclass(frozen=True)
class AllowedSkip:
    """A reason that is no fault; ``local`` ones are faults on CI."""

    where: str
    begins: str
    why: str

    def covers(self, reason: str, on_ci: bool) -> bool:
        return reason.startswith(self.begins) and not (on_ci and self.where == LOCAL)


def read_allowed(path: Path) -> list[AllowedSkip]:
    """The list in ``path``, one ``WHERE | how the reason begins | why`` a line.

    Raises ``ValueError`` for a line of another form.
    """
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = [field.strip() for field in line.split("|")]
        if len(fields) != 3 or fields[0] not in (ANYWHERE, LOCAL) or not all(fields):
            raise ValueError(
                f"{path.name}:{number}: {line!r} is not '{ANYWHERE}|{LOCAL} | reason | why'"
            )
        found.append(AllowedSkip(*fields))
    return found


class SkipGate:
    """The pytest plugin.

    Args:
        allowed: the list.
        on_ci: whether ``local`` reasons count as faults.
    """

    def __init__(self, allowed: list[AllowedSkip], on_ci: bool) -> None:
        self._allowed = allowed
        self._on_ci = on_ci
        self._skips: list[tuple[str, str]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # An expected failure is a skip by another name.
        if report.skipped or hasattr(report, "wasxfail"):
            self._skips.append((report.nodeid, _reason(report)))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skips.append((report.nodeid, _reason(report)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Iterator[None]:
        if any(self._unlisted(reason) for _, reason in self._skips) and not session.exitstatus:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return (yield)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self._skips:
            return
        terminalreporter.section("skips, which must be in tests/allowed_skips.txt")
        for test, reason in self._skips:
            faulty = self._unlisted(reason)
            terminalreporter.write_line(
                f"{'NOT ALLOWED' if faulty else 'allowed'} {test}: {reason}", red=faulty
            )

    def _unlisted(self, reason: str) -> bool:
        return not any(one.covers(reason, self._on_ci) for one in self._allowed)


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    expected = getattr(report, "wasxfail", None)
    if expected is not None:
        return str(expected).removeprefix("reason: ")
    place = report.longrepr
    text = str(place[2]) if isinstance(place, tuple) else str(place)
    return text.removeprefix("Skipped: ")
