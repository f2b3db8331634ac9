"""The list of mistakes as a labelled set: stills, and all that was said of each."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import IO, Any, cast

from stream_server.labelled_set import Example, labelled_set
from stream_server.mistakes.store import MistakeList
from stream_server.mistakes.tables import Mistake

_ENDINGS = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}


def described_mistake(mistake: Mistake) -> dict[str, Any]:
    """As ``GET /v1/mistakes/{id}`` gives it."""
    return {
        "id": mistake.id,
        "made": mistake.made,
        "verdict": mistake.verdict,
        "label": mistake.label,
        "probability": mistake.probability,
        "note": mistake.note,
        "title": mistake.title,
        "site": mistake.site,
        "clock": mistake.clock,
        "from_s": mistake.from_s,
        "to_s": mistake.to_s,
        "seen_at": mistake.seen_at,
        "extension": mistake.extension,
        "server": mistake.server,
        "models": mistake.models,
        "still": mistake.still_type != "",
    }


def set_of_mistakes(table: MistakeList) -> IO[bytes]:
    """The ZIP of ``labelled_set``, with a ``mistakes.jsonl`` that holds those without a still too.

    What came from one page has one source id. The caller closes it.
    """
    found = list(table.all())
    lines = "".join(json.dumps(described_mistake(one)) + "\n" for one in found)
    return labelled_set(_examples(table, found), [("mistakes.jsonl", lines)])


def _examples(table: MistakeList, found: list[Mistake]) -> Iterator[Example]:
    for one in found:
        still = table.still(one.id)
        if still is None:
            continue
        page = hashlib.sha256(f"{one.site}\0{one.title}".encode()).hexdigest()[:16]
        yield Example(
            f"stills/{one.id}.{_ENDINGS[still[0]]}",
            still[1],
            cast("Any", one.label),
            "mistakes",
            page,
            method="reported" if one.label == "fake" else "",
            mistake=one.id,
            note=one.note,
        )
