"""How a line of the log is made, and whose lines there are."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from stream_server import logs
from stream_server.server.pairing.digits import show_on_terminal


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("stream_server")
    levels = root.level, ours.level
    yield
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


def configure(level: str, form: logs.Format, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logs.configure(level, form)


def test_json_is_one_object_a_line_with_what_it_is_about(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("info", "json", monkeypatch)
    log = logging.getLogger("stream_server.live")
    assert logs.is_json()
    with logs.about(stream="abc"):
        try:
            raise ValueError("two\nlines, and ü")
        except ValueError:
            log.exception("frame %d failed", 7)
    log.info("quiet again")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (first["stream"], first["level"]) == ("abc", "error")
    assert (first["logger"], first["message"]) == ("stream_server.live", "frame 7 failed")
    assert first["time"].endswith("Z") and "two\nlines, and ü" in first["error"]
    assert second.keys() == {"time", "level", "logger", "message"}


def test_text_says_what_it_is_about_behind_the_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure("info", "text", monkeypatch)
    assert not logs.is_json()
    with logs.about(monitor="m1"), logs.about(stream="s1"):
        logging.getLogger("stream_server.session").info("closed")
    assert capsys.readouterr().err.endswith(" INFO closed [monitor=m1 stream=s1]\n")


@pytest.mark.parametrize("level", ["info", "error"])
def test_the_digits_of_a_pairing_are_shown_whatever_the_level(
    level: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(level, "json", monkeypatch)
    show_on_terminal("123456", "")
    line = json.loads(capsys.readouterr().err)
    assert line["message"] == "pairing with a program that is no browser: the digits are 123456"
    assert (line["level"], line["logger"]) == ("warning", "stream_server.server.pairing.digits")


@pytest.mark.parametrize("level", ["debug", "info"])
def test_other_libraries_speak_up_from_warnings_on(
    level: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(level, "text", monkeypatch)
    for name in ("websockets.server", "httpcore", "aiortc.rtp"):
        logging.getLogger(name).debug("Authorization: Bearer secret")
        logging.getLogger(name).info("Authorization: Bearer secret")
        logging.getLogger(name).warning("broken by %s", name)
    logging.getLogger("stream_server.engine").debug("ours")
    said = capsys.readouterr().err
    assert "secret" not in said and said.count("broken by") == 3
    assert ("ours" in said) == (level == "debug")
