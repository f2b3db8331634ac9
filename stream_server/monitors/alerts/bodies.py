"""The bodies that chat programs take. What a stranger has written can neither call anybody nor
format anything there.

Slack: https://api.slack.com/reference/surfaces/formatting#escaping
Mattermost: https://developers.mattermost.com/integrate/webhooks/incoming/
Discord: https://discord.com/developers/docs/resources/webhook#execute-webhook
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from stream_server.monitors.alerts.message import Words

_MARKS = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:])")
_NO_EMBEDS = 1 << 2
_JOINER = "\u200b"  # of no width; what it parts is no mention and no link any more


def _slack(words: Words) -> dict[str, Any]:
    plain = {"type": "plain_text", "text": f"{words.title}\n{words.text}", "emoji": False}
    link = {"type": "mrkdwn", "text": f"<{words.link}|Open in Fakelight>"}
    return {
        "text": _slack_escaped(_parted(f"{words.title}. {words.text}")),
        "blocks": [{"type": "section", "text": plain}, {"type": "section", "text": link}],
    }


def _mattermost(words: Words) -> dict[str, Any]:
    title, text = _markdown_escaped(words.title), _markdown_escaped(words.text)
    return {"text": f"**{title}**\n{text}\n[Open in Fakelight]({words.link})"}


def _discord(words: Words) -> dict[str, Any]:
    title, text = _markdown_escaped(words.title), _markdown_escaped(words.text)
    return {
        "content": f"**{title}**\n{text}\n<{words.link}>",
        "allowed_mentions": {"parse": []},
        "flags": _NO_EMBEDS,
    }


_MADE: dict[str, Callable[[Words], dict[str, Any]]] = {
    "slack": _slack,
    "mattermost": _mattermost,
    "discord": _discord,
}


def chat_body(kind: str, words: Words) -> bytes:
    """The body for ``kind``: slack, mattermost or discord."""
    return json.dumps(_MADE[kind](words), ensure_ascii=False).encode()


def _parted(text: str) -> str:
    """Without mentions (``@here``) and links that would be made of plain text."""
    return text.replace("@", f"@{_JOINER}").replace("://", f":{_JOINER}//")


def _slack_escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _markdown_escaped(text: str) -> str:
    return _MARKS.sub(r"\\\1", _parted(text))
