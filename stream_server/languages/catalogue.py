"""The translations: GNU gettext's catalogues, one for each language, with the English text as key.

``make languages`` takes the texts out of the code and the pages (Babel), brings the catalogues of
``stream_server/locales`` up to date and compiles them.
"""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from stream_server.languages.choice import DEFAULT

DOMAIN = "fakelight"
FOLDER = Path(__file__).resolve().parents[1] / "locales"


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The words of ``language``; of English, whose words are the keys, the empty one.

    Raises ``FileNotFoundError`` for a language that has no catalogue.
    """
    if language == DEFAULT:
        return gettext.NullTranslations()
    return gettext.translation(DOMAIN, FOLDER, [language])


@cache
def script_words(language: str) -> str:
    """The texts that the pages' scripts ask for, by their English ones, as JSON: of one that
    counts both forms. English needs none."""
    if language == DEFAULT:
        return "{}"
    return (FOLDER / language / "scripts.json").read_text(encoding="utf-8")
