"""The report as one HTML file that needs nothing else: no network, no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment
from markupsafe import Markup

from stream_server import __version__
from stream_server.explain.paint import RAMP
from stream_server.languages import Worded, _, figure, spoken, tell, worded
from stream_server.languages.templates import environment
from stream_server.report import chart, words
from stream_server.report.model import Explanation, FaceReport, Picture, Report

_FOLDER = Path(__file__).resolve().parent
_FACES_SHOWN = 20
_MEASURES: dict[str, tuple[Worded, Worded]] = {
    "size": (worded("Size"), worded("the analysis needs about 64")),
    "sharpness": (worded("Sharpness"), worded("below 30 a face is too blurred")),
    "yaw": (worded("Turned aside by"), worded("above {limit} it is a profile", limit=0.45)),
    "brightness": (worded("Brightness"), worded("40 to 215 can be judged")),
    "blockiness": (
        worded("Compression blocks"),
        worded("above {limit} traces are lost", limit=2.6),
    ),
}
_KINDS: dict[str, Worded] = {
    "video": worded("video"),
    "animation": worded("animation"),
    "picture": worded("picture"),
}
_FACTS: dict[str, Worded] = {
    "Kind": worded("Kind"),
    "Format": worded("Format"),
    "Size": worded("Size"),
    "Parts": worded("Parts"),
    "Length": worded("Length"),
    "Frame rate": worded("Frame rate"),
    "Orientation": worded("Orientation"),
    "Pixels": worded("Pixels"),
    "Tiles": worded("Tiles"),
    "Colour": worded("Colour"),
}


def render(reports: Sequence[Report]) -> str:
    """One page for ``reports``, in the language that is spoken."""
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
        facts=_facts,
        language=spoken(),
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
    return environment(_FOLDER)


def _shown(report: Report) -> list[FaceReport]:
    """The faces that the page tells of, most suspicious first."""
    ranked = sorted(
        report.faces,
        key=lambda face: (face.probability is not None, face.probability or 0.0, face.samples),
        reverse=True,
    )
    return ranked[:_FACES_SHOWN]


def _chart(report: Report, face: FaceReport) -> Markup:
    return chart.timeline(face, report.duration_s, *face.lines)


def _data(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()


def _at(report: Report, number: int, one: Explanation) -> str:
    """The moment, after "face 1"; nothing for a picture, which has but one."""
    if report.media.get("Kind") == "picture":
        return _("Face {number}", number=number)
    return _("Face {number} at {time}", number=number, time=words.clock(one.time))


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
    return moment + ", ".join(map(words.short_reason, picture.reasons))


def _quality(face: FaceReport) -> list[tuple[str, str, str]]:
    if face.quality is None:
        return []
    quality = face.quality
    values = {
        "size": _("{count:.0f} pixels wide", count=quality.size),
        "sharpness": f"{quality.sharpness:.0f}",
        "yaw": _("{count:.2f} face widths", count=quality.yaw),
        "brightness": _("{value:.0f} of 255", value=quality.brightness),
        "blockiness": figure(quality.blockiness, 1),
    }
    return [(tell(name), values[field], tell(limit)) for field, (name, limit) in _MEASURES.items()]


def _facts(report: Report) -> list[tuple[str, str]]:
    """What kind of file it is."""
    return [
        (tell(_FACTS.get(name, name)), tell(_KINDS.get(fact, fact) if name == "Kind" else fact))
        for name, fact in report.media.items()
    ]
