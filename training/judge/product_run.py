"""Many labelled videos through the whole product, kept one by one, so that a run goes on."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from stream_server.scan.scanner import open_scanner
from stream_server.settings import load
from training.data.layouts import Item
from training.judge.product import Judgement, judge, stamp_of


async def judge_all(models: Path, items: Sequence[Item], kept: Path) -> list[Judgement]:
    """What a scan with the networks in ``models`` says of each of ``items``, in their order.

    ``kept`` holds what an earlier run with the same networks has judged already, one JSON object a
    line. Raises what ``judge`` raises.
    """
    async with open_scanner(load(models=models)) as scanner:
        stamp = stamp_of(scanner)
        rows = _known(kept, stamp)
        with kept.open("a") as handle:
            for number, item in enumerate(items, start=1):
                if item.name not in rows:
                    rows[item.name] = await judge(scanner, item)
                    row = {"stamp": stamp, **asdict(rows[item.name])}
                    handle.write(json.dumps(row) + "\n")
                    handle.flush()
                sys.stderr.write(f"\r{number}/{len(items)} {item.name}\033[K")
    sys.stderr.write("\n")
    return [rows[item.name] for item in items]


def _known(kept: Path, stamp: str) -> dict[str, Judgement]:
    """What was judged by the same networks in the same way."""
    rows: dict[str, Judgement] = {}
    for line in kept.read_text().splitlines() if kept.exists() else []:
        facts = json.loads(line)
        if facts.pop("stamp") == stamp:
            facts["reasons"] = tuple(facts["reasons"])
            rows[facts["name"]] = Judgement(**facts)
    return rows
