"""A face's timeline as an inline SVG, drawn so that it reads without colour too."""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from itertools import pairwise

from markupsafe import Markup

from stream_server.languages import _
from stream_server.report.model import FaceReport
from stream_server.report.words import clock, part, passages, percent

_WIDTH, _HEIGHT = 720, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 10, 12, 26
_POINTS = 600
_GAP = 1.5  # seconds without a score that break the line
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def timeline(face: FaceReport, duration: float, fake: float, real: float) -> Markup:
    """Probability over time, from 0 to ``duration`` seconds, with the two lines and the marks."""
    span = max(duration, face.last_s, 0.1)

    def x(time: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * min(max(time / span, 0.0), 1.0)

    def y(probability: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - probability)

    floor = y(0)
    parts = [
        f'<rect class="seen" x="{x(face.first_s):.1f}" y="{floor:.1f}"'
        f' width="{max(x(face.last_s) - x(face.first_s), 2):.1f}" height="4"/>'
    ]
    for start, end in face.stretches:
        left, width = x(start), max(x(end) - x(start), 3)
        parts.append(
            f'<rect class="mark" x="{left:.1f}" y="{_TOP}" width="{width:.1f}"'
            f' height="{floor - _TOP:.1f}"/>'
            f'<path class="flag" d="M{left:.1f} {_TOP}h{width:.1f}"/>'
        )
    lines = ((fake, escape(_("likely fake above"))), (real, escape(_("likely real below"))))
    for at in (fake, real):
        parts.append(f'<path class="line" d="M{_LEFT} {y(at):.1f}H{_WIDTH - _RIGHT}"/>')
    for value in (0.0, 0.5, 1.0):
        parts.append(
            f'<text x="{_LEFT - 6}" y="{y(value) + 8 * value - 2:.1f}" text-anchor="end">'
            f"{part(value)}</text>"
        )
    for tick in _ticks(span):
        parts.append(
            f'<path class="tick" d="M{x(tick):.1f} {floor:.1f}v4"/>'
            f'<text x="{x(tick):.1f}" y="{floor + 18:.1f}" text-anchor="middle">'
            f"{clock(tick)}</text>"
        )
    parts += [f'<path class="curve" d="{d}"/>' for d in _curves(face, x, y)]
    # Over the curve, on a ground of their own: it must not strike them through.
    right = _WIDTH - _RIGHT
    parts += [
        f'<text class="name" x="{right}" y="{y(at) - 3:.1f}" text-anchor="end">{name}</text>'
        for at, name in lines
    ]
    label = escape(_spoken(face), quote=True)
    return Markup(
        f'<svg class="timeline" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="{label}">{"".join(parts)}</svg>'
    )


def _curves(
    face: FaceReport, x: Callable[[float], float], y: Callable[[float], float]
) -> list[str]:
    step = max(len(face.timeline) // _POINTS, 1)
    # Of each group the most suspicious point is drawn: thinning must not hide a peak.
    groups = [face.timeline[i : i + step] for i in range(0, len(face.timeline), step)]
    points = [max(group, key=lambda point: point[1]) for group in groups]
    usual = max(_GAP, 2.5 * _spacing(points))
    paths: list[str] = []
    last = -math.inf
    for time, probability in points:
        place = f"{x(time):.1f} {y(probability):.1f}"
        if time - last > usual:
            paths.append(f"M{place}h0.1")
        else:
            paths[-1] += f"L{place}"
        last = time
    return paths


def _spacing(points: list[tuple[float, float]]) -> float:
    gaps = sorted(b[0] - a[0] for a, b in pairwise(points))
    return gaps[len(gaps) // 2] if gaps else 0.0


def _ticks(span: float) -> list[float]:
    step = next((step for step in _STEPS if span / step <= 8), _STEPS[-1])
    return [float(i * step) for i in range(int(span // step) + 1)]


def _spoken(face: FaceReport) -> str:
    values = [value for _, value in face.timeline]
    text = _(
        "Probability of manipulation of face {number} from {start} to {end}: between {least} and"
        " {most}.",
        number=face.track,
        start=clock(face.first_s),
        end=clock(face.last_s),
        least=percent(min(values)),
        most=percent(max(values)),
    )
    if face.stretches:
        text += " " + _("Looks manipulated at {times}.", times=passages(face.stretches[:20]))
    return text
