"""What browsers are told about the pages."""

from __future__ import annotations

import json
from typing import Any

from tests.support.in_process import BEARER


def test_pages_run_no_foreign_script_and_are_never_framed(client: Any) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy


def test_static_files_cannot_be_left(client: Any) -> None:
    for path in ("/static/../../settings.py", "/static/%2e%2e/%2e%2e/settings.py"):
        assert client.get(path, headers=BEARER).status_code in (400, 404)


def test_a_page_speaks_what_was_chosen_then_what_the_browser_asks_for_then_english(
    client: Any,
) -> None:
    for headers, language, word in (
        ({}, "en", "Sample clip"),
        ({"Accept-Language": "es-MX, en;q=0.5"}, "es", "Vídeo de muestra"),
        ({"Accept-Language": "es", "Cookie": "fakelight_language=de"}, "de", "Beispielclip"),
        ({"Accept-Language": "es", "Cookie": "fakelight_language=xx"}, "es", "Vídeo de muestra"),
    ):
        answer = client.get("/", headers=headers)
        assert answer.headers["content-language"] == language
        assert "Accept-Language" in answer.headers["vary"] and "Cookie" in answer.headers["vary"]
        assert f'<html lang="{language}">' in answer.text and word in answer.text


def test_the_words_of_a_page_s_scripts_come_with_it_as_data(client: Any) -> None:
    page = client.get("/scan", headers={"Accept-Language": "de"}).text
    block = page.split('<script id="words" type="application/json">')[1].split("</script>")[0]
    assert json.loads(block)["Cancelled"] == "Abgebrochen"
