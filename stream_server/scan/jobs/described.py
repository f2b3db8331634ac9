"""What is told of a scan, and what is kept of its report."""

from __future__ import annotations

import json
from typing import Any

from stream_server.report.html import render
from stream_server.report.model import Report, most_suspicious
from stream_server.report.words import (
    because,
    by_one_look,
    by_passage,
    capital,
    headline,
    in_between,
    tell,
)
from stream_server.scan.jobs.store import Scan
from stream_server.scan.progress import Advance


def outcome(report: Report) -> tuple[str, dict[str, Any]]:
    """The status of a scan with this report, and the columns that hold it."""
    failed = report.error is not None
    return "failed" if failed else "done", {
        "verdict": None if failed else report.verdict,
        "probability": report.probability,
        "detail": _detail(report),
        "report": json.dumps(report.as_json(), allow_nan=False),
        "page": render([report]),
    }


def described(
    scan: Scan,
    advance: Advance | None,
    keep_days: float,
    report: Any = None,
    ahead: int | None = None,
) -> dict[str, Any]:
    """A scan as ``GET /v1/scans/{id}`` gives it. ``advance`` is there for one that runs here."""
    share, left_s = (advance.share, advance.left_s) if advance else (scan.share, scan.left_s)
    finished = scan.status in ("done", "failed", "cancelled")
    return {
        "id": scan.id,
        "file": scan.file,
        "size": scan.size,
        "window": scan.window,
        "status": scan.status,
        "progress": 1.0 if finished else round(share or 0.0, 4),
        "left_s": None if finished or left_s is None else round(left_s, 1),
        "ahead": ahead,
        "created": scan.created,
        "started": scan.started,
        "finished": scan.finished,
        "expires": None if scan.finished is None else scan.finished + keep_days * 86400,
        "upload_kept": scan.keep,
        "verdict": scan.verdict,
        "probability": None if scan.probability is None else round(scan.probability, 4),
        "detail": scan.detail,
        "language": scan.language,
        "report": report,
    }


def _detail(report: Report) -> str | None:
    """What a list of scans says of one beside its verdict: why there is none, that it does not
    speak for the whole file, or what it rests on."""
    if report.error is not None:
        return tell(report.error["detail"])
    decisive = most_suspicious(report.faces)
    if report.status == "incomplete" or decisive is None:
        return headline(report)
    found = capital(in_between(report)) if report.verdict == "unsure" else ""
    told = by_passage(report) or by_one_look(report)
    why = "" if told else because(decisive.verdict, decisive.grounds)
    return f"{found} {why}".strip() or None
