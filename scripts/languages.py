"""Brings the translations up to date with the code: ``python -m scripts.languages``.

Takes the texts out of the server's code, its pages and their scripts (Babel), merges them into the
catalogues of ``stream_server/locales``, and compiles these: an ``.mo`` for the server, and for the
pages a JSON with the texts of their scripts. Says what is left to translate, and fails then.

A text that is new, or has changed, is left empty for a person to write: nothing is guessed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from stream_server import __version__
from stream_server.languages.catalogue import DOMAIN, FOLDER
from stream_server.languages.choice import DEFAULT, LANGUAGES

SERVER = Path(__file__).resolve().parents[1] / "stream_server"
TRANSLATED = tuple(language for language in LANGUAGES if language != DEFAULT)
#: What is called with a text; ``_n`` and ``worded_n`` with those of one and of more.
KEYWORDS = {"_": None, "_n": (1, 2), "worded": None, "marked": None, "worded_n": (1, 2)}
#: The first that fits decides.
METHODS = [
    ("web/static/vendor/**", "ignore"),
    ("_data/**", "ignore"),
    ("web/static/**.js", "javascript"),
    ("**.html", "jinja2"),
    ("**.py", "python"),
]
#: What scripts are sent with its sentence, to tell it in the page's language.
TOLD_BY_SCRIPTS = ("monitors/reasons.py",)
_WIDTH = 100
_NO_DATE = datetime(1970, 1, 1, tzinfo=UTC)  # a catalogue changes with its texts alone


def template() -> Catalog:
    """Every text that the code asks for, in the order of the files, each with where it stands."""
    made = Catalog(project="fakelight", version=__version__, charset="utf-8")
    found = extract_from_dir(
        SERVER, METHODS, {}, KEYWORDS, ("Translators:",), strip_comment_tags=True
    )
    for path, _line, message, comments, context in sorted(found, key=lambda one: one[:2]):
        # Without its line, which changes with each edit above it.
        made.add(message, None, [(path, 0)], auto_comments=comments, context=context)
    for one in made:
        one.locations = sorted(set(one.locations))
    return made


def path_of(language: str) -> Path:
    """Where the catalogue lies that people write."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def read(language: str) -> Catalog:
    """The catalogue of ``language`` as it lies there; empty where there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def merged(language: str, texts: Catalog) -> Catalog:
    """What is translated of ``texts``; translations of texts that are gone go with them."""
    catalogue = read(language)
    catalogue.update(texts, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.creation_date = catalogue.revision_date = _NO_DATE
    return catalogue


def written(catalogue: Catalog) -> bytes:
    """The ``.po``: without a head full of dates, so that it changes with its texts alone."""
    out = BytesIO()
    write_po(out, catalogue, width=_WIDTH, omit_header=True, include_lineno=False)
    plural = f'"Plural-Forms: {catalogue.plural_forms}\\n"'
    head = ['msgid ""', 'msgstr ""', f'"Language: {catalogue.locale_identifier}\\n"']
    head += ['"Content-Type: text/plain; charset=utf-8\\n"', plural, "", ""]
    return "\n".join(head).encode() + out.getvalue()


def compiled(catalogue: Catalog) -> bytes:
    """The ``.mo``."""
    out = BytesIO()
    write_mo(out, catalogue)
    return out.getvalue()


def of_scripts(catalogue: Catalog) -> str:
    """What the pages' scripts ask for, as they read it."""
    table: dict[str, str | list[str]] = {}
    for one in catalogue:
        texts = _strings(one)
        if one.id and all(texts) and any(_on_a_page(path) for path, _ in one.locations):
            if isinstance(one.id, str):
                table[one.id] = texts[0]
            else:
                table[one.id[0]] = texts
    return json.dumps(table, ensure_ascii=False, indent=0, sort_keys=True) + "\n"


def _on_a_page(path: str) -> bool:
    return path.endswith(".js") or path in TOLD_BY_SCRIPTS


def untranslated(catalogue: Catalog) -> Iterator[Message]:
    """What is not translated, or only by a guess."""
    for one in catalogue:
        if one.id and (one.fuzzy or not all(_strings(one))):
            yield one


def _strings(message: Message) -> list[str]:
    """The translation; of a text that counts one for each of its forms."""
    if isinstance(message.string, str):
        return [message.string]
    return list(message.string or [""])


def main() -> int:
    """Bring all up to date; how many texts are left to translate decides the exit status."""
    texts = template()
    left = 0
    for language in TRANSLATED:
        catalogue = merged(language, texts)
        path = path_of(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(written(catalogue))
        path.with_suffix(".mo").write_bytes(compiled(catalogue))
        (FOLDER / language / "scripts.json").write_text(of_scripts(catalogue), encoding="utf-8")
        missing = list(untranslated(catalogue))
        left += len(missing)
        for one in missing:
            sys.stderr.write(f"{language}: not translated: {one.id!r}\n")
    print(f"{len(texts)} texts in {', '.join(TRANSLATED)}; {left} left to translate")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
