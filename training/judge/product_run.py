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
        known = Kept(kept, stamp_of(scanner))
        for number, item in enumerate(items, start=1):
            if item.name not in known.rows:
                known.add(await judge(scanner, item))
            sys.stderr.write(f"\r{number}/{len(items)} {item.name}\033[K")
    sys.stderr.write("\n")
    return [known.rows[item.name] for item in items]


class Kept:
    """Judgements of videos by their names, each in ``path`` as soon as it is there.

    ``rows`` begin with those that the file holds from the same networks, judged in the same way, as
    ``stamp`` says.
    """

    def __init__(self, path: Path, stamp: str) -> None:
        self._path, self._stamp = path, stamp
        self.rows: dict[str, Judgement] = {}
        for line in path.read_text().splitlines() if path.exists() else []:
            facts = json.loads(line)
            if facts.pop("stamp") == stamp:
                facts["reasons"] = tuple(facts["reasons"])
                self.rows[facts["name"]] = Judgement(**facts)

    def add(self, row: Judgement) -> None:
        """Keep one more."""
        self.rows[row.name] = row
        with self._path.open("a") as handle:
            handle.write(json.dumps({"stamp": self._stamp, **asdict(row)}) + "\n")
