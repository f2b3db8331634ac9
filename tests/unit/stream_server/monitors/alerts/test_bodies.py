from __future__ import annotations

import json
import re
from typing import Any

import pytest

from stream_server.monitors.alerts.bodies import chat_body
from stream_server.monitors.alerts.message import Words

LINK = "https://fakelight.example/monitor#incident=i_1"
HOSTILE = [
    "<!channel>",
    "@everyone",
    "@here @all @channel",
    "<@U123>",
    "<@&1234>",
    "<https://evil.example|Open in Fakelight>",
    "[Open](https://evil.example)",
    "https://evil.example",
    "**bold** _it_ `code` ~~gone~~ ||hidden||",
    "# title",
    "> quote",
    ":tada: ~town-square",
    '"}, "text": "@channel',
    "\\@everyone \\[x\\](y)",
    "&lt;!channel&gt;",
]


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [one for inner in value.values() for one in strings(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in strings(inner)]
    return [value] if isinstance(value, str) else []


def made(kind: str, name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(
        chat_body(kind, Words(f"Suspicious face in {name}", "A face looks odd.", LINK))
    )
    return body


@pytest.mark.parametrize("name", HOSTILE)
def test_slack_sees_no_mention_and_no_foreign_link(name: str) -> None:
    body = made("slack", name)
    plain, link = body["blocks"]
    # Slack parses nothing in plain_text, and everything in text and mrkdwn.
    assert plain["text"] == {
        "type": "plain_text",
        "text": f"Suspicious face in {name}\nA face looks odd.",
        "emoji": False,
    }
    assert link["text"] == {"type": "mrkdwn", "text": f"<{LINK}|Open in Fakelight>"}
    text = body["text"]
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)|@\w|://", text)


@pytest.mark.parametrize("kind", ["mattermost", "discord"])
@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_has_no_mention_format_or_foreign_link(kind: str, name: str) -> None:
    body = made(kind, name)
    (text,) = strings({k: v for k, v in body.items() if k != "allowed_mentions"})
    first, *_, last = text.split("\n")
    assert first.startswith("**Suspicious face in ")
    assert first.endswith("**")
    inner = first[2:-2]
    # Every character with a meaning is a plain one, by a backslash of ours.
    assert not re.search(r"[`*_{}\[\]()<>#|~:]", re.sub(r"\\[\\`*_{}\[\]()<>#+\-.!|~:]", "", inner))
    assert not re.search(r"@[\w!&]|://", inner)
    assert LINK in last


def test_discord_is_told_that_nobody_is_called() -> None:
    body = made("discord", "x")
    assert body["allowed_mentions"] == {"parse": []}
    assert body["flags"] == 4


def test_a_harmless_name_stays_readable() -> None:
    assert "Studio A" in made("mattermost", "Studio A")["text"]
    assert "Zoë 3" in made("discord", "Zoë 3")["content"]
