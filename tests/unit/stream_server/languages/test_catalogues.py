"""Every text that people read is there in every language, and nothing besides."""

from __future__ import annotations

import gettext
import json
import re
from functools import cache
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo

from scripts import languages
from stream_server.languages.catalogue import FOLDER
from stream_server.languages.choice import LANGUAGES
from tests.support.paths import EXTENSION, ROOT

TRANSLATED = pytest.mark.parametrize("language", languages.TRANSLATED)
Text = str | tuple[str, ...]
# What reads alike in English and in another language.
ALIKE = {
    "de": {"{part!c}: {line}"},
    "es": {"{part!c}: {line}"},
}
# The scale, and what it is called wherever it is named: docs/languages.md.
SCALE = {
    "likely fake": {"de": "wahrscheinlich gefälscht", "es": "probablemente fals"},
    "leans fake": {"de": "eher gefälscht", "es": "más bien fals"},
    "leans real": {"de": "eher echt", "es": "más bien real"},
    "likely real": {"de": "wahrscheinlich echt", "es": "probablemente real"},
    "cannot tell": {"de": "nicht zu beurteilen", "es": "no se puede saber"},
    "manipulated": {"de": "manipuliert", "es": "manipulad"},
    "face": {"de": "gesicht", "es": "rostro"},
}


@cache
def template() -> Catalog:
    return languages.template()


def texts(catalogue: Catalog) -> dict[Text, Text]:
    # An .mo gives several forms as a list, a .po as a tuple.
    return {_as_text(one.id): _as_text(one.string or "") for one in catalogue if one.id}


def _as_text(value: str | list[str] | tuple[str, ...]) -> Text:
    return value if isinstance(value, str) else tuple(value)


def forms(text: Text) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else text


def gaps(text: str) -> set[tuple[str | None, ...]]:
    return {field[1:] for field in Formatter().parse(text) if field[1] is not None}


@TRANSLATED
def test_none_is_missing_none_left_over_and_none_guessed(language: str) -> None:
    catalogue = languages.read(language)
    assert set(texts(catalogue)) == set(texts(template())), "run make languages"
    assert list(languages.untranslated(catalogue)) == []
    assert not catalogue.obsolete


@TRANSLATED
def test_what_is_served_is_what_people_wrote(language: str) -> None:
    catalogue = languages.read(language)
    path = languages.path_of(language)
    with path.with_suffix(".mo").open("rb") as file:
        compiled = texts(read_mo(file))
    assert compiled == texts(catalogue), "run make languages"
    scripts = (FOLDER / language / "scripts.json").read_text(encoding="utf-8")
    merged = languages.merged(language, template())
    assert scripts == languages.of_scripts(merged), "run make languages"
    assert path.read_bytes() == languages.written(merged), "run make languages"


@TRANSLATED
def test_each_translation_has_the_gaps_of_its_text(language: str) -> None:
    for text, translation in texts(languages.read(language)).items():
        wanted = {name for name, *_ in gaps(forms(text)[-1])}
        for one in forms(translation):
            assert {name for name, *_ in gaps(one)} == wanted, one


@TRANSLATED
def test_none_is_left_in_english_and_each_ends_as_its_text(language: str) -> None:
    alike = set()
    for text, translation in texts(languages.read(language)).items():
        english, other = forms(text)[-1], forms(translation)[-1]
        if english == other:
            alike.add(english)
        assert english[-1:] in ".:?" or other[-1:] not in ".:", other
        assert english[-1] not in ".:?" or other[-1] == english[-1], other
        assert other == other.strip() and "  " not in other
    assert alike == ALIKE[language]


@TRANSLATED
def test_the_scale_is_called_the_same_everywhere(language: str) -> None:
    said = [
        (forms(text)[-1].lower(), forms(translation)[-1].lower())
        for text, translation in texts(languages.read(language)).items()
    ]
    for path in (EXTENSION / "_locales").glob("*/messages.json"):
        if path.parent.name == language:
            english = json.loads((EXTENSION / "_locales/en/messages.json").read_text("utf-8"))
            own = json.loads(path.read_text("utf-8"))
            said += [(english[k]["message"].lower(), own[k]["message"].lower()) for k in own]
    for term, names in SCALE.items():
        found = [(text, told) for text, told in said if re.search(rf"\b{term}\b", text)]
        assert found, term
        assert [pair for pair in found if names[language] not in pair[1]] == []


def test_there_is_a_catalogue_for_each_language_that_is_offered() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(LANGUAGES) - {"en"}
    locales = {path.name for path in (EXTENSION / "_locales").iterdir()}
    assert locales == set(LANGUAGES)
    page = (ROOT / "docs" / "languages.md").read_text("utf-8")
    for language in languages.TRANSLATED:
        gettext.translation("fakelight", FOLDER, [language])
        for term, names in SCALE.items():
            assert term in page.lower() and names[language] in page.lower(), (term, language)


def test_what_people_read_stands_in_the_catalogues_not_in_the_pages_and_their_scripts() -> None:
    names = {"Fakelight", "Slack", "Mattermost", "Discord", "UTC"}
    server = ROOT / "stream_server"
    for page in (*(server / "web").glob("*.html"), server / "report" / "template.html"):
        text = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", page.read_text("utf-8"), flags=re.S)
        text = re.sub(r'^ class="\w+"$', "", text, flags=re.M)  # what a block puts into a tag
        text = re.sub(r"<(style|script)\b.*?</\1>", "", text, flags=re.S)
        labels = re.findall(r'\b(?:aria-label|title|alt)="([^"]*)"', text)
        read = re.sub(r"<[^>]*>", " ", text) + " ".join(labels)
        assert set(re.findall(r"[^\W\d_]{2,}", read)) <= names, page.name
    word = r'(?:"[^"]*[^\W\d_]{2}[^"]*"(?! in )|`[^`$]*[^\W\d_]{2})'
    written = rf"(?:textContent|innerText|title|placeholder|ariaLabel) = {word}"
    written += rf'|"(?:aria-label|title)", {word}'
    for script in (server / "web" / "static").rglob("*.js"):
        if "vendor" not in script.parts:
            assert re.findall(written, script.read_text("utf-8")) == [], script.name
