"""The words that people read, by their keys: the extension's own, so that both say the same, in
the language that is spoken.

``extension/shared/words.js`` reads the same file and fills gaps in the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from stream_server import resources
from stream_server.accuracy import Accuracy
from stream_server.engine.members import SENSES
from stream_server.grounds import Ground
from stream_server.languages.choice import spoken
from stream_server.verdict import Verdict

_SPLIT = 0.2  # of all that counted; less on one side is no second opinion


def say(key: str, *parts: str) -> str:
    """The text ``key`` with ``parts`` in its gaps. Raises ``KeyError`` for a key that is none."""
    entry = _texts(spoken())[key]
    holders = {name: content["content"] for name, content in entry.get("placeholders", {}).items()}
    text = re.sub(r"\$(\w+)\$", lambda found: holders[found[1].lower()], entry["message"])
    return re.sub(r"\$(\d)", lambda found: parts[int(found[1]) - 1], text)


def percent(probability: float) -> str:
    """A probability for people: never 0 and never 100, no detector knows that much."""
    return part(min(0.99, max(0.01, probability)))


def part(of_one: float) -> str:
    """A part of 1 as per cent."""
    return say("percent", str(round(100 * of_one)))


def verdict_words(verdict: Verdict, probability: float | None) -> str:
    """The verdict in words; in between, which way it leans."""
    if verdict == "unsure" and probability is not None:
        return say("leans_fake" if probability >= 0.5 else "leans_real")
    return say(f"verdict_{verdict}")


def looks_at_words(looks_at: str) -> str:
    """What a member looks at."""
    return say(f"looks_at_{looks_at}") if looks_at in SENSES else looks_at


def by_sense(grounds: Sequence[Ground]) -> tuple[Ground, ...]:
    """``grounds`` with the shares of members that look at the same added up: people read of what
    was looked at, not of how many nets do. What counted most is first."""
    shares: dict[str, float] = {}
    for one in grounds:
        shares[one.looks_at] = shares.get(one.looks_at, 0.0) + one.share
    members = {one.looks_at: one.member for one in reversed(grounds)}
    found = [Ground(members[sense], sense, share) for sense, share in shares.items()]
    return tuple(sorted(found, key=lambda ground: -abs(ground.share)))


def because(verdict: Verdict, grounds: Sequence[Ground]) -> str:
    """In a sentence what the verdict rests on most; empty where there is none to explain."""
    grounds = by_sense(grounds)
    against = next((one for one in grounds if one.share < 0), None)
    speaking = next((one for one in grounds if one.share > 0), None)
    if not grounds or verdict in ("gathering", "not_enough_evidence"):
        return ""
    if verdict == "likely_fake":
        return _told(speaking, "fake") if speaking else ""
    if verdict == "likely_real":
        return _told(against, "real") if against else say("because_nothing")
    if speaking and against and min(speaking.share, -against.share) >= _SPLIT:
        return say(
            "because_split", looks_at_words(speaking.looks_at), looks_at_words(against.looks_at)
        )
    return say("because_weak")


def accuracy_words(accuracy: Accuracy | None) -> str:
    """How often it was right where it was tried; empty where that is not known."""
    if accuracy is None:
        return ""
    figures = (accuracy.fake_flagged, accuracy.fake, accuracy.real_flagged, accuracy.real)
    return say("accuracy", str(accuracy.real + accuracy.fake), *map(str, figures))


def _told(ground: Ground, side: str) -> str:
    if ground.looks_at in SENSES:
        return say(f"because_{ground.looks_at}_{side}")
    return say(f"because_other_{side}", ground.looks_at)


@cache
def _texts(language: str) -> dict[str, Any]:
    path = resources.extension_dir() / "_locales" / language / "messages.json"
    texts: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return texts
