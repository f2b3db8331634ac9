"""The model card's tables, made from the evaluation's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def tables(report: Mapping[str, Any], parity: list[dict[str, Any]] | None = None) -> str:
    """The figures of ``report`` (the evaluate step's JSON) as Markdown."""
    lines = [f"Protocol: {report['protocol']} Split: {report['split']}.", ""]
    thresholds = report["thresholds"]
    lines += [
        f"Members: {', '.join(report['members'])}. Likely fake from a probability of "
        f"{thresholds['fake']:.2f}, likely real up to {thresholds['real']:.2f}.",
        "",
    ]
    for tier, figures in report["tiers"].items():
        lines += [f"### Delivery: {tier}", "", *_groups(figures["groups"]), ""]
        kept, alarms = figures["unflagged"], figures["false_alarms"]
        if kept.get("videos"):
            low, high = kept["interval"]
            lines += [
                f"Real videos not flagged: {kept['share']:.1%} of {kept['videos']} (95 % interval "
                f"{low:.1%} to {high:.1%}). False alarms: {alarms['alarms']} in "
                f"{alarms['hours'] * 60:.1f} minutes of real video.",
                "",
            ]
        videos = figures.get("videos", {})
        if "ece" in videos:
            lines += [f"Expected calibration error over all videos: {videos['ece']:.3f}.", ""]
    clean = next(iter(report["tiers"].values()))
    lines += ["### AUC by window length", "", *_table(clean["lengths"], "samples"), ""]
    if len(clean["members"]) > 1:
        lines += ["### AUC by member", "", *_table(clean["members"], "member"), ""]
    lines += ["### Reals of a row against fakes of a column (AUC)", ""]
    lines += [*_table(clean["cross_auc"], "reals of"), ""]
    if parity:
        lines += ["### Export", ""]
        lines += [
            f"- {one['model']}: largest difference from PyTorch {one['fp32']:.1e} in fp32, "
            f"{one['fp16'] or 0:.1e} in fp16 (outputs up to {one['scale']:.2g})"
            for report_ in parity
            for one in report_["parity"]
        ]
        lines.append("")
    return "\n".join(lines)


def _groups(groups: Mapping[str, Mapping[str, Any]]) -> list[str]:
    lines = [
        "| group | real | fake | AUC | 95 % interval | EER | real flagged | fake flagged |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, one in groups.items():
        confusion = one["confusion"]
        figures = ["", "", ""]
        if "auc" in one:
            low, high = one["auc_interval"]
            figures = [f"{one['auc']:.3f}", f"{low:.2f} to {high:.2f}", f"{one['eer']:.2f}"]
        flagged = [str(confusion[kind]["likely_fake"]) for kind in ("real", "fake")]
        cells = [name, str(one["real"]), str(one["fake"]), *figures, *flagged]
        lines.append(f"| {' | '.join(cells)} |")
        if "pairs_in_order" in one:
            ordered, count = one["pairs_in_order"]
            note = f"{name}: the fake half scores higher in {ordered} of {count} pairs"
            lines.append(f"| {note} | | | | | | | |")
    return lines


def _table(rows: Mapping[str, Mapping[str, float]], first: str) -> list[str]:
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    lines = [f"| {first} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows.items():
        cells = [f"{values[column]:.3f}" if column in values else "" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def renew(card: Path, report: Path, parity: Path | None = None) -> None:
    """Put the figures of ``report`` between the card's marks.

    Raises ``FileNotFoundError`` for a missing file and ``ValueError`` for a card without marks.
    """
    for path in (card, report, *([parity] if parity else [])):
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing")
    text = card.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{card} needs one line {BEGIN} and one line {END}")
    facts = json.loads(parity.read_text()) if parity else None
    figures = tables(json.loads(report.read_text()), facts)
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    card.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{figures}\n{END}", text))
