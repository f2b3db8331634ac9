"""The model card's tables, made from the evaluation's JSON."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stream_server.accuracy import Accuracy
from training.judge.card_folds import fold_tables, peer_tables
from training.judge.card_pictures import picture_tables

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def tables(
    report: Mapping[str, Any],
    parity: list[dict[str, Any]] | None = None,
    product: Mapping[str, Any] | None = None,
    judged: Mapping[str, Any] | None = None,
    peers: Mapping[str, Mapping[str, Any]] | None = None,
    lrnet: Mapping[str, Any] | None = None,
    pictures: Mapping[str, Any] | None = None,
) -> str:
    """The figures of ``report`` (the evaluate step's JSON) as Markdown.

    ``parity`` is the export step's report, ``product`` the product step's, ``judged`` the judge
    step's, ``peers`` the same for published networks by their names, ``lrnet`` the lrnet step's,
    ``pictures`` the calibrate step's. Raises ``ValueError`` where ``judged`` lacks the vote of the
    report's members.
    """
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
            lines += [f"Expected calibration error over all videos: {_calibration(videos)}.", ""]
    if "calibration" in report:
        whole = _calibration(report["calibration"])
        lines += ["### Calibration", "", f"All videos under all deliveries: {whole}.", ""]
    clean = next(iter(report["tiers"].values()))
    lines += ["### AUC by window length", "", *_table(clean["lengths"], "samples"), ""]
    if len(clean["members"]) > 1:
        lines += ["### AUC by member", "", *_table(clean["members"], "member"), ""]
    lines += ["### Reals of a row against fakes of a column (AUC)", ""]
    lines += [*_table(clean["cross_auc"], "reals of"), ""]
    lines += [*_risk(report["tiers"]), ""]
    if judged:
        lines += [*fold_tables(judged, report["members"]), ""]
    if pictures:
        lines += [*picture_tables(pictures), ""]
    if peers:
        lines += [*peer_tables(peers), ""]
    if product:
        lines += [*_product(product), ""]
    if lrnet:
        lines += [*_lrnet(lrnet), ""]
    if parity:
        lines += ["### Export", ""]
        lines += [
            f"- {one['model']}: largest difference from PyTorch {one['fp32']:.1e} in fp32"
            + ("" if one["fp16"] is None else f", {one['fp16']:.1e} in fp16")
            + f" (outputs up to {one['scale']:.2g})"
            for report_ in parity
            for one in report_["parity"]
        ]
        lines.append("")
    return "\n".join(lines)


def accuracy(product: Mapping[str, Any]) -> Accuracy:
    """Of the product step's figures, how many videos of each kind were flagged, and how many left
    unsure. Groups within groups are of the same videos."""
    counts: Counter[str] = Counter()
    for name, group in product["groups"].items():
        if any(name.startswith(f"{other} / ") for other in product["groups"]):
            continue
        for outcome, count in group["verdicts"].items():
            kind, verdict = outcome.split(" ", 1)
            counts[kind] += count
            counts[f"{kind} flagged"] += count * (verdict == "likely_fake")
            counts["unsure"] += count * (verdict == "unsure")
    return Accuracy(
        counts["real"],
        counts["real flagged"],
        counts["fake"],
        counts["fake flagged"],
        counts["unsure"],
    )


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


def _risk(tiers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """How often the nearer side of 50 % is wrong when only the surest videos are judged."""
    shares = (0.25, 0.5, 0.75, 0.85, 1.0)
    lines = [
        "### Risk and coverage",
        "",
        "Share of wrong sides (over or under 50 %) among the surest part of all videos:",
        "",
        f"| delivery | {' | '.join(f'surest {share:.0%}' for share in shares)} |",
        "|---" * (len(shares) + 1) + "|",
    ]
    for tier, figures in tiers.items():
        curve = figures["risk_coverage"]
        nearest = [min(curve, key=lambda point: abs(point[0] - share))[1] for share in shares]
        lines.append(f"| {tier} | {' | '.join(f'{error:.3f}' for error in nearest)} |")
    return lines


def _calibration(figures: Mapping[str, Any]) -> str:
    alike = figures.get("ece_alike")
    weighed = "" if alike is None else f", {alike:.3f} with reals and fakes counting alike"
    return (
        f"{figures['ece']:.3f}{weighed} (with so few, probabilities that are exactly right get "
        f"{figures['ece_at_best']:.3f} on average)"
    )


def _product(product: Mapping[str, Any]) -> list[str]:
    """What a scan says of the same videos, from file to verdict."""
    coverage, decided, unsure = product["coverage"], product["decided"], product["unsure"]
    kept = product["real_not_flagged"]
    return [
        "### The whole product on the same videos, from file to verdict",
        "",
        f"A verdict (likely real, unsure or likely fake) on {coverage['covered']} of "
        f"{coverage['of']} videos whose face is {product['least_px']:.0f} pixels or more. "
        f"{decided['decided']} of {decided['of']} were decided either way, {decided['wrong']} of "
        f"them wrongly; {unsure['of']} were left unsure, of which "
        f"{unsure['would_have_been_wrong']} lay on the wrong side of 50 %. "
        f"{kept['share']:.1%} of {kept['of']} real videos were not flagged. Expected calibration "
        f"error {_calibration(product)}.",
        "",
        *_by_group(product),
    ]


def _lrnet(figures: Mapping[str, Any]) -> list[str]:
    """The same videos through LRNet's published weights."""
    decided = figures["decided"]
    return [
        "### LRNet's published weights on the same videos",
        "",
        "LRNet (Sun et al., CVPR 2021) by its authors' code and weights on dlib's landmarks, the "
        f"first 121 frames with a face: {decided['decided']} of {figures['videos']} videos had "
        f"enough for a verdict, {decided['wrong']} of these verdicts were wrong. AUC of all fakes "
        f"against all reals: {figures['auc']:.3f}.",
        "",
        *_by_group(figures),
    ]


def _by_group(product: Mapping[str, Any]) -> list[str]:
    """What was said of the videos of each set, and of each maker in it."""
    lines = [
        "| group | real | fake | AUC | 95 % interval | real flagged | fake flagged |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, one in product["groups"].items():
        figures = ["", ""]
        if one["auc"] is not None:
            low, high = one["interval"]
            figures = [f"{one['auc']:.3f}", f"{low:.2f} to {high:.2f}"]
        verdicts = one["verdicts"]
        flagged = [str(verdicts.get(f"{kind} likely_fake", 0)) for kind in ("real", "fake")]
        cells = [name, str(one["real"]), str(one["fake"]), *figures, *flagged]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _table(rows: Mapping[str, Mapping[str, float]], first: str) -> list[str]:
    columns = list(dict.fromkeys(name for values in rows.values() for name in values))
    lines = [f"| {first} | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for name, values in rows.items():
        cells = [f"{values[column]:.3f}" if column in values else "" for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


def renew(
    card: Path, report: Path, parity: Path | None = None, product: Path | None = None,
    judged: Path | None = None, peers: Sequence[Path] = (), lrnet: Path | None = None,
    pictures: Path | None = None,
) -> None:  # fmt: skip
    """Put the figures of ``report`` between the card's marks; a peer is named by its file.

    Raises ``FileNotFoundError`` for a missing file and ``ValueError`` for a card without marks.
    """
    for path in (
        card,
        report,
        *(path for path in (parity, product, judged, lrnet, pictures, *peers) if path),
    ):
        if not path.is_file():
            raise FileNotFoundError(f"{path} is missing")
    text = card.read_text()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        raise ValueError(f"{card} needs one line {BEGIN} and one line {END}")
    facts = json.loads(parity.read_text()) if parity else None
    whole = json.loads(product.read_text()) if product else None
    folds = json.loads(judged.read_text()) if judged else None
    others = {path.stem: json.loads(path.read_text()) for path in peers}
    landmarks = json.loads(lrnet.read_text()) if lrnet else None
    alone = json.loads(pictures.read_text()) if pictures else None
    figures = tables(json.loads(report.read_text()), facts, whole, folds, others, landmarks, alone)
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    card.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{figures}\n{END}", text))
