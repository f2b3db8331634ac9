from __future__ import annotations

import asyncio
import json
import pickle
from copy import deepcopy
from pathlib import Path

from markupsafe import Markup

from stream_server.languages import (
    Worded,
    _,
    _n,
    figure,
    speaking,
    tell,
    together,
    worded,
    worded_n,
)
from stream_server.languages.templates import environment

NAMED = worded("{file} is empty: 0 bytes", file="a{b}.mp4")


def test_what_is_kept_and_sent_is_english_whoever_looks() -> None:
    with speaking("de"):
        text = worded("{file} is empty: 0 bytes", file="a.mp4")
        assert text == str(text) == f"{text}" == "a.mp4 is empty: 0 bytes"
        assert json.dumps({"detail": text}) == '{"detail": "a.mp4 is empty: 0 bytes"}'
        assert tell(text) == "a.mp4 ist leer: 0 Bytes"
    assert tell(text) == "a.mp4 is empty: 0 bytes"


def test_braces_in_what_fills_a_gap_are_left_alone() -> None:
    with speaking("es"):
        assert tell(NAMED) == "a{b}.mp4 está vacío: 0 bytes"


def test_a_text_within_a_text_is_told_too_and_begins_as_large_as_it_has_to() -> None:
    text = worded("{part!c}: {line}", part=worded("the cover picture"), line=NAMED)
    assert text == "The cover picture: a{b}.mp4 is empty: 0 bytes"
    with speaking("de"):
        assert tell(text) == "Das Titelbild: a{b}.mp4 ist leer: 0 Bytes"
        assert (
            tell(together([NAMED, "as it is"], by="; ")) == "a{b}.mp4 ist leer: 0 Bytes; as it is"
        )
        assert tell("never worded") == "never worded"


def test_one_is_counted_otherwise_than_more() -> None:
    def second(count: int) -> Worded:
        return worded_n("{count} second", "{count} seconds", count)

    assert [second(1), second(2), second(0)] == ["1 second", "2 seconds", "0 seconds"]
    with speaking("es"):
        assert [tell(second(count)) for count in (1, 2)] == ["1 segundo", "2 segundos"]
        assert _n("{count} second", "{count} seconds", 2) == "2 segundos"
        assert tell(second(1_000_000)) == "1000000 segundos"


def test_figures_have_the_point_or_the_comma_of_the_language() -> None:
    text = worded("fetching, {done:.1f} of {whole:.1f} MB", done=1.25, whole=20.0)
    assert text == "fetching, 1.2 of 20.0 MB"
    with speaking("de"):
        assert tell(text) == "wird geholt, 1,2 von 20,0 MB"
        assert figure(2.55, 1) == "2,5"
    assert figure(2.55, 1) == "2.5"


def test_it_stays_what_it_is_between_processes() -> None:
    text = worded("{part!c}: {line}", part="1.5 and more", line=NAMED)
    for copy in (pickle.loads(pickle.dumps(text)), deepcopy(text)):
        assert copy == text
        with speaking("de"):
            assert tell(copy) == "1.5 and more: a{b}.mp4 ist leer: 0 Bytes"


def test_in_a_template_what_fills_a_gap_is_escaped_unless_it_is_markup(tmp_path: Path) -> None:
    templates = environment(tmp_path)
    templates.autoescape = True
    page = templates.from_string('{{ _("Remove {name}?", name=name) }}')
    with speaking("de"):
        assert page.render(name="<b>") == "&lt;b&gt; entfernen?"
        assert page.render(name=Markup("<b>x</b>")) == "<b>x</b> entfernen?"
        counted = templates.from_string('{{ _n("{count} file", "{count} files", 3) }}')
        assert counted.render() == "3 Dateien"


async def test_tasks_and_threads_speak_as_who_began_them() -> None:
    async def told() -> str:
        return await asyncio.to_thread(_, "Stop")

    with speaking("de"):
        task = asyncio.create_task(told())
    assert await task == "Beenden"
    assert await told() == "Stop"
