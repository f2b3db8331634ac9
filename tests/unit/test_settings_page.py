"""``docs/settings.md`` is what the settings class says, and the class says what each is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.settings_reference import HEADINGS, MADE, PAGE, page
from stream_server.settings import Settings

FIELDS = Settings.model_fields


@pytest.mark.parametrize("name", FIELDS)
def test_every_setting_is_described_in_sentences(name: str) -> None:
    said = FIELDS[name].description or ""
    assert said[:1].isupper() and said.endswith("."), f"{name}: {said!r}"
    assert "|" not in said, "it would end the table's cell"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


def test_the_page_is_the_same_on_every_machine() -> None:
    made = {name for name, field in FIELDS.items() if field.default_factory is not None}
    assert made == set(MADE)
    assert str(Path.home()) not in page()


def test_every_setting_stands_below_a_heading() -> None:
    assert set(HEADINGS) <= set(FIELDS)
    assert next(iter(FIELDS)) in HEADINGS
    assert page().count("| `FAKELIGHT_") == len(FIELDS)
