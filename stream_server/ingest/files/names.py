"""Names of files as they can be shown: in a terminal, a report, a log."""

from __future__ import annotations

import os

_JOINERS = "\u200c\u200d"  # part of words in some scripts, and of emoji


def printable(name: str) -> str:
    """``name`` on one line and harmless.

    What a terminal would obey, what changes the direction of reading, and bytes that are no UTF-8
    stand as escapes, as in ``\\x1b``; all else stays as it is.
    """
    text = os.fsencode(name).decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() or one in _JOINERS else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")
