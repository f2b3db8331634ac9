"""Which language a person is spoken to in: what the browser, the terminal or they themselves ask
for, where there are words for it; English else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: What there are words for, by its tag (BCP 47), each with its own name for itself.
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "es": "Español", "de": "Deutsch"}
DEFAULT: Final = "en"
_LONGEST = 1000  # characters of an Accept-Language that are read; browsers send a few dozen
# GNU gettext's own order (its manual, 2.3.2), in which the first that is set decides.
_VARIABLES = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")

_spoken: ContextVar[str] = ContextVar("language", default=DEFAULT)


def spoken() -> str:
    """The language of this request, stream or command."""
    return _spoken.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak ``language`` within, or English where it is none of ``LANGUAGES``. Tasks and threads
    that asyncio begins within speak it too."""
    before = _spoken.set(language if language in LANGUAGES else DEFAULT)
    try:
        yield
    finally:
        _spoken.reset(before)


def known(tag: str) -> str | None:
    """Which of ``LANGUAGES`` a tag such as ``de-AT`` or a locale such as ``de_DE.UTF-8`` means."""
    language = tag.strip().replace("_", "-").split("-")[0].split(".")[0].lower()
    return language if language in LANGUAGES else None


def accepted(header: str) -> str:
    """What an ``Accept-Language`` asks for most (RFC 9110, 12.5.4)."""
    best, weight = DEFAULT, 0.0
    for part in header[:_LONGEST].split(","):
        tag, _, parameters = part.partition(";")
        language, asked = known(tag), _weight(parameters)
        if language is not None and asked > weight:
            best, weight = language, asked
    return best


def of_environment(environment: Mapping[str, str] = os.environ) -> str:
    """What the terminal's locale asks for: of the variables that are set the first decides, of
    ``LANGUAGE``, a list, the first that there are words for."""
    for name in _VARIABLES:
        value = environment.get(name, "")
        if value and (name != "LANGUAGE" or any(map(known, value.split(":")))):
            return next(filter(None, map(known, value.split(":"))), DEFAULT)
    return DEFAULT


def _weight(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(float(value), 1.0)
    except ValueError:
        return 0.0
