"""The report as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from stream_server import __version__
from stream_server.explain.paint import RAMP
from stream_server.report import chart, words
from stream_server.report.model import Explanation, FaceReport, Picture, Report

_FOLDER = Path(__file__).resolve().parent
_FACES_SHOWN = 20
_QUALITY_WORDS = {
    "size": ("Size", "{:.0f} pixels wide", "the analysis needs about 64"),
    "sharpness": ("Sharpness", "{:.0f}", "below 30 a face is too blurred"),
    "yaw": ("Turned aside by", "{:.2f} face widths", "above 0.45 it is a profile"),
    "brightness": ("Brightness", "{:.0f} of 255", "40 to 215 can be judged"),
    "blockiness": ("Compression blocks", "{:.1f}", "above 2.6 traces are lost"),
}


def render(reports: Sequence[Report]) -> str:
    """One page for ``reports``."""
    template = _environment().get_template("template.html")
    return template.render(
        reports=reports,
        style=Markup(_style()),
        words=words,
        chart=_chart,
        faces=_shown,
        hidden=lambda report: max(len(report.faces) - _FACES_SHOWN, 0),
        data=_data,
        at=_at,
        ramp=_ramp(),
        caption=_caption,
        quality=_quality,
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def content_policy() -> str:
    """A Content-Security-Policy under which the page works as it is and nothing else does."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none';"
        " form-action 'none'; frame-ancestors 'none'"
    )


@lru_cache(maxsize=1)
def _style() -> str:
    return (_FOLDER / "report.css").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(report: Report) -> list[FaceReport]:
    """The faces that the page tells of, most suspicious first."""
    ranked = sorted(
        report.faces,
        key=lambda face: (face.probability is not None, face.probability or 0.0, face.samples),
        reverse=True,
    )
    return ranked[:_FACES_SHOWN]


def _chart(report: Report, face: FaceReport) -> Markup:
    settings = report.settings
    return chart.timeline(
        face, report.duration_s, settings["threshold_fake"], settings["threshold_real"]
    )


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _at(report: Report, one: Explanation) -> str:
    return "" if report.media.get("Kind") == "picture" else f" at {words.clock(one.time)}"


def _ramp() -> Markup:
    """The heat map's colours as a small drawing: the page's policy allows no style attributes."""
    steps = "".join(
        f'<rect x="{24 * i}" width="24" height="10" fill="rgb({red},{green},{blue})"/>'
        for i, (red, green, blue) in enumerate(RAMP)
    )
    return Markup(
        f'<svg viewBox="0 0 {24 * len(RAMP)} 10" width="{24 * len(RAMP)}" height="10"'
        f' aria-hidden="true">{steps}</svg>'
    )


def _caption(report: Report, picture: Picture | Explanation) -> str:
    moment = "" if report.media.get("Kind") == "picture" else words.clock(picture.time) + ", "
    if picture.probability is not None:
        return moment + words.percent(picture.probability)
    assert isinstance(picture, Picture)  # an explanation always has its probability
    codes = [words.SHORT_REASONS.get(code, code) for code in picture.reasons]
    return moment + ", ".join(codes)


def _quality(face: FaceReport) -> list[tuple[str, str, str]]:
    if face.quality is None:
        return []
    return [
        (name, form.format(getattr(face.quality, field)), meaning)
        for field, (name, form, meaning) in _QUALITY_WORDS.items()
    ]
