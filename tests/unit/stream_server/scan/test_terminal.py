from __future__ import annotations

import io
from dataclasses import replace

import pytest

from stream_server.accuracy import Accuracy
from stream_server.languages import speaking
from stream_server.report.model import FaceReport, Report
from stream_server.scan.progress import Advance
from stream_server.scan.terminal import TerminalProgress, conclude, cut, tell


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def report(file: str = "a.mp4") -> Report:
    face = FaceReport(
        1, 0.0, 20.0, (0.1, 0.1, 0.2, 0.3), 100, 0.91, "likely_fake", (), {}, (),
        stretches=tuple((10.0 * i, 10.0 * i + 6) for i in range(8)),
    )  # fmt: skip
    return Report(
        file, "embedded", ("one",), {"threshold_real": 0.3}, verdict="likely_fake",
        probability=0.91, faces=(face,), provenance={"status": "absent"},
        accuracy=Accuracy(140, 6, 83, 43, 89),
    )  # fmt: skip


def test_a_file_is_told_in_plain_text_with_its_passages() -> None:
    out = io.StringIO()
    tell(report("/a/long/path/" + "b" * 200 + ".mp4"), out)
    conclude([report()], out)
    told = out.getvalue()
    assert "b" * 200 in told and "\x1b" not in told
    assert "looks manipulated at 0:00-0:06, 0:10-0:16" in told and "and 2 times more" in told
    assert told.rstrip().endswith("On others it may do worse.")
    out = io.StringIO()
    conclude([replace(report(), accuracy=None), report()], out)
    assert out.getvalue(), "of pictures it is not told"
    out = io.StringIO()
    tell(report(), out, quiet=True)
    assert out.getvalue() == ""


def test_a_terminal_gets_colour_unless_the_person_wants_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    out = Terminal()
    tell(report("/a/" + "b" * 200 + ".mp4"), out)
    first = out.getvalue().splitlines()[0]
    assert "\x1b[1;31mThe face is likely fake.\x1b[0m" in first
    assert first.startswith("/a/bbb") and "…" in first and ".mp4: " in first
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    tell(report(), out)
    assert "\x1b" not in out.getvalue()


def test_progress_is_one_line_that_says_what_is_done_first() -> None:
    out = Terminal()
    TerminalProgress(out).show("1/2", "a.mp4", Advance(0.1, None, "fetching, 1.0 of 9.0 MB"))
    assert "1/2 fetching, 1.0 of 9.0 MB  a.mp4" in out.getvalue()
    quiet = Terminal()
    TerminalProgress(quiet, quiet=True).show("1/2", "a.mp4", Advance(0.1, 3.0))
    assert quiet.getvalue() == ""


@pytest.mark.parametrize(
    ("name", "width", "shown"),
    [("a.mp4", 5, "a.mp4"), ("abcdefghij", 7, "ab…ghij"), ("/x/y/holiday.mp4", 12, "/x/…iday.mp4")],
)
def test_a_long_name_keeps_its_beginning_and_its_end(name: str, width: int, shown: str) -> None:
    assert cut(name, width) == shown and len(shown) <= width


def test_words_are_told_in_the_language_that_is_spoken() -> None:
    out = io.StringIO()
    with speaking("de"):
        tell(report(), out)
        conclude([report()], out)
    told = out.getvalue()
    assert told.startswith("a.mp4: Das Gesicht ist wahrscheinlich gefälscht.\n  Gesicht 1: ")
    assert "sieht manipuliert aus bei 0:00-0:06, 0:10-0:16" in told and "noch 2-mal" in told
    assert "43 von 83 Fälschungen" in told
