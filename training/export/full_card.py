"""The model card of a repository that the full step made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.export.onnx_export import ExportReport
from training.judge.vote import Vote

LICENCE_OF_RANDOM_WEIGHTS = """\
The weights in this folder are random numbers that were made by "python -m training full
--untrained". Nobody has rights in them, and nothing they say about a face means anything.
"""


def full_card(
    vote: Vote, reports: Sequence[ExportReport], facts: Mapping[str, Any], untrained: str = ""
) -> str:
    """Markdown: what is in the repository, what it reached on dev, and the export's parity.

    ``facts`` may hold ``members`` (figures on dev by member) and ``calibration`` (those of the
    calibrate step); ``untrained`` is said first where it is not empty.
    """
    lines = ["# Model card: the `full` repository", ""]
    if untrained:
        lines += [f"**{untrained[0].upper()}{untrained[1:]}.**", ""]
    lines += [
        "Made by `python -m training full`. It judges face manipulation, not sound and not wholly "
        "generated video, and it errs.",
        "",
        f"Likely fake from a probability of {vote.threshold_fake:g}, likely real up to "
        f"{vote.threshold_real:g}.",
        "",
        "| member | weight in the vote | AUC by video on dev |",
        "|---|---|---|",
    ]
    figures: Mapping[str, Mapping[str, float]] = facts.get("members", {})
    for one in vote.members:
        reached = figures.get(one.name, {})
        text = ", ".join(f"{name} {value:.3f}" for name, value in reached.items())
        lines.append(f"| {one.name} | {one.weight:.3f} | {text or 'none'} |")
    fitted: Mapping[str, Any] = facts.get("calibration", {})
    for tier in fitted.get("tiers", []):
        kept = fitted[tier]["unflagged"]
        if kept.get("videos"):
            lines += [
                "",
                f"Delivery {tier}: {kept['share']:.1%} of {kept['videos']} real videos of dev are "
                f"not flagged; {fitted[tier]['fakes_flagged'] or 0:.1%} of the fakes are.",
            ]
    lines += ["", "## Export", ""]
    for report in reports:
        lines += [f"- {line}" for line in report.lines()]
    return "\n".join(lines) + "\n"
