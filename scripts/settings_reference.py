"""Writes ``docs/settings.md`` from the settings class: ``python -m scripts.settings_reference``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo

from stream_server.settings import ENV_PREFIX, Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "settings.md"
# Each heading, and the setting that it stands above.
HEADINGS = {
    "host": "The server",
    "engine": "The networks",
    "sample_hz": "How faces are watched",
    "max_message_bytes": "Limits of a live stream",
    "scan_max_bytes": "Scans",
    "monitor_hosts": "Monitors",
    "public_url": "Alerts",
    "stun_url": "WebRTC",
    "log_level": "The log",
    "traces_url": "Traces",
}
# What stands in the table where the default depends on the machine.
MADE = {
    "state_dir": "`fakelight` in the user's state folder",
    "models": "those that came with the program",
    "workers": "the number of cores, at least 2",
}
HEAD = f"""# Settings

Made from `stream_server/settings.py` by `make docs`; change the descriptions there.

Each is an environment variable, or a line without `{ENV_PREFIX}` and in small letters in the TOML
file that `{ENV_PREFIX}CONFIG` names. The command line wins over the environment, the environment
over the file. An unknown name, or a value outside its limits, stops the start with a message that
says which."""


def page() -> str:
    """The whole page, Markdown."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        if name in HEADINGS:
            lines += [
                f"\n## {HEADINGS[name]}\n",
                "| setting | default | values | |",
                "|---|---|---|---|",
            ]
        cells = (f"`{ENV_PREFIX}{name.upper()}`", _default(name, field), _values(field))
        lines.append(f"| {' | '.join(cells)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(name: str, field: FieldInfo) -> str:
    if name in MADE:
        return MADE[name]
    if field.default in ("", {}):
        return "empty"
    return f"`{_plain(field.default)}`"


def _values(field: FieldInfo) -> str:
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return ", ".join(f"`{choice}`" for choice in choices)
    if field.annotation is bool:
        return "`true`, `false`"
    words = {"ge": "from", "gt": "above", "le": "up to"}
    limits = [
        f"{word} {_plain(getattr(limit, kind))}"
        for limit in field.metadata
        for kind, word in words.items()
        if hasattr(limit, kind)
    ]
    return " ".join(limits)


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
