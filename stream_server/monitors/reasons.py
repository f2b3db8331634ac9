"""What the reasons of a monitor's state mean: their codes, and how they are told in any language.

A reason is English text wherever it is kept and sent: it comes out of the process that reads the
stream, goes into the database, and from there to other servers and all their listeners, whose
languages differ. So a reason is recognised by the very sentence it is, where it is shown. One that
is not known, such as what FFmpeg says of a broken stream, stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from stream_server.languages import Worded, marked, worded

_DEEPEST = 2  # a reason may hold another: why it failed, and when it is tried again
_LONGEST = 1000  # characters of a reason that are looked at
_FIGURE = re.compile(r"[0-9]+(\.[0-9]+)?")

#: The sentence of each code. A gap holds a figure, a name, or another reason.
SENTENCES: Final[Mapping[str, str]] = {
    "opening": marked("opening it"),
    "trying_again": marked("{why}; trying again in {seconds} s"),
    "no_picture_within": marked("no picture within {seconds} s"),
    "nothing_came": marked("nothing came for {seconds} s"),
    "nothing_comes": marked("nothing has come for {seconds} s"),
    "black": marked("the picture has been black for {seconds} s"),
    "frozen": marked("the picture has not changed for {seconds} s"),
    "silent": marked("there has been no sound for {seconds} s"),
    "nobody_pushes": marked("nobody pushes to it"),
    "push_stalled": marked("nothing comes any more"),
    "source_ended": marked("the source ended"),
    "source_over": marked("the source has come to its end"),
    "stream_stalled": marked("no picture comes"),
    "stream_ended": marked("the stream has ended"),
    "stream_failed": marked("the stream cannot be read"),
    "only_sound": marked("the stream holds only sound; there is nothing to look at"),
    "no_video": marked("the stream holds no video; there is nothing to look at"),
    "codec": marked("the stream's video codec, {codec}, is not watched"),
    "too_many_pixels": marked(
        "the stream has {width}x{height} pixels; the limit is {limit} in all"
    ),
    "too_much_memory": marked("reading it takes more memory than the limit of {bytes} bytes"),
    "unreadable": marked("it cannot be read: {why}"),
    "no_process": marked("no process can be started: {why}"),
    "reader_ended": marked("the process that reads it ended with status {status}"),
    "reader_killed": marked("the process that reads it was ended by signal {signal}"),
    "http_status": marked("{where}: the server answered {status}"),
    "no_answer_within": marked("{where}: no answer for {seconds} s"),
    "no_such_host": marked("{where}: there is no such host"),
    "refuses_connections": marked("{where}: Connection refused"),
    "no_answer": marked("{where} does not answer"),
    "encrypted": marked("{where}: the stream is encrypted (DRM)"),
    "refused_address": marked(
        "{where} is a {kind} address; FAKELIGHT_MONITOR_HOSTS names hosts and networks that may be"
    ),
    "too_busy": marked(
        "this machine is too busy: {analysed} of {came} pictures a second are analysed"
    ),
    "unwatched": marked("no server watches it at the moment"),
    "database_away": marked("the database is away"),
    "internal_error": marked("an internal error; see the server's log"),
    "source_error": marked("an internal error; see the log"),
}


def recognised(reason: str, deep: int = 0) -> tuple[str, Worded] | None:
    """The code of ``reason`` and the text as it can be told; ``None`` of one that is not known."""
    if not reason or len(reason) > _LONGEST or deep > _DEEPEST:
        return None
    for code, sentence in SENTENCES.items():
        found = _pattern(code).fullmatch(reason)
        if found is not None:
            values = {name: _value(text, deep) for name, text in found.groupdict().items()}
            return code, worded(sentence, **values)
    return None


def told_later(reason: str) -> str:
    """``reason`` as a text that can be told in another language, where it is known."""
    found = recognised(reason)
    return reason if found is None else found[1]


def parts(reason: str) -> dict[str, Any] | None:
    """``reason`` as JSON: ``code``, ``message``, which is the English sentence with its gaps, and
    ``values`` for these, each a figure, a text, or an object of this kind again."""
    found = recognised(reason)
    return None if found is None else _as_json(*found)


def _as_json(code: str, text: Worded) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in text.values.items():
        inner = recognised(value) if isinstance(value, Worded) else None
        values[name] = value if inner is None else _as_json(*inner)
    return {"code": code, "message": text.message, "values": values}


@cache
def _pattern(code: str) -> re.Pattern[str]:
    pieces = re.split(r"\{(\w+)\}", SENTENCES[code])
    for place in range(1, len(pieces), 2):
        figure = pieces[place] not in ("why", "where", "codec", "kind", "status")
        pieces[place] = f"(?P<{pieces[place]}>{r'[0-9.]+' if figure else '.+?'})"
    pieces[::2] = map(re.escape, pieces[::2])
    return re.compile("".join(pieces), re.DOTALL)


def _value(text: str, deep: int) -> Any:
    # Not whatever Python takes for a number: JSON has none for a host by the name of nan.
    if _FIGURE.fullmatch(text):
        return float(text) if "." in text else int(text)
    inner = recognised(text, deep + 1)
    return text if inner is None else inner[1]
