"""The product step: labelled videos through the whole product, from file to verdict."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from stream_server.scan.scanner import open_scanner
from stream_server.settings import load
from training.data.layouts import Item
from training.data.public_sets import LAYOUTS
from training.judge.product import Judgement, figures, judge, stamp_of


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m training product", description=__doc__)
    parser.add_argument("root", type=Path, help="the data set's folder")
    parser.add_argument("--layout", choices=sorted(LAYOUTS), required=True)
    parser.add_argument("--split", default="dev", help="which part; empty: all of it")
    parser.add_argument("--models", type=Path, default=Path("triton_models"))
    parser.add_argument("--out", type=Path, required=True, help="figures (JSON); resumes from it")
    options = parser.parse_args(argv)
    items = [item for item in LAYOUTS[options.layout](options.root) if item.kind == "video"]
    items = [item for item in items if not options.split or item.split == options.split]
    if not items:
        raise ValueError(f"{options.root} holds no video of split {options.split!r}")
    rows = asyncio.run(_judge(options.models, items, options.out.with_suffix(".rows.jsonl")))
    report = figures(rows)
    options.out.write_text(json.dumps(report, indent=2) + "\n")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")
    return 0


async def _judge(models: Path, items: list[Item], kept: Path) -> list[Judgement]:
    """Every item in turn; ``kept`` holds what an earlier run has judged already."""
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
