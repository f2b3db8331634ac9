from __future__ import annotations

import pytest

from stream_server.languages.choice import accepted, of_environment, speaking, spoken


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-FR, fr;q=0.9, es;q=0.7, en;q=0.5", "es"),
        ("fr, ja;q=0.5", "en"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("de;q=0, es;q=0.1", "es"),
        ("DE;Q=0.3, es;q=0.2", "de"),
        ("de;q=nonsense, es;q=0.1", "es"),
        ("de;level=1", "de"),
        (";;,=,q", "en"),
        ("x," * 10_000 + "de", "en"),
    ],
)
def test_a_browser_gets_what_it_asks_for_most(header: str, language: str) -> None:
    assert accepted(header) == language


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_AT.UTF-8"}, "de"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "es_MX"}, "es"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr:es:en"}, "es"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "fr"}, "de"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "es"}, "es"),
    ],
)
def test_a_terminal_gets_what_its_locale_says(environment: dict[str, str], language: str) -> None:
    assert of_environment(environment) == language


def test_a_language_is_spoken_within_and_no_longer() -> None:
    with speaking("de"):
        with speaking("es"):
            assert spoken() == "es"
        assert spoken() == "de"
    assert spoken() == "en"
