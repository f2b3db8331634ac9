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

# Heights in pixels; widths in shares of what there is, so that a phone shows it whole.
_HEIGHT, _TOP, _BOTTOM = 150, 12, 26
_ACROSS = 1000  # units in which a curve's times are given, whatever the width
_POINTS = 600
_GAP = 1.5  # seconds without a score that break the line
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


def timeline(face: FaceReport, duration: float, fake: float, real: float) -> Markup:
    """Probability over time, from 0 to ``duration`` seconds, with the two lines and the marks."""
    span = max(duration, face.last_s, 0.1)

    def share(time: float) -> float:
        return min(max(time / span, 0.0), 1.0)

    def wide(start: float, end: float) -> str:
        least = 0.004  # so that a moment is seen
        width = max(share(end) - share(start), least)
        return f'x="{min(share(start), 1 - least):.2%}" width="{width:.2%}"'

    def y(probability: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - probability)

    floor = y(0)
    parts = [f'<rect class="seen" {wide(face.first_s, face.last_s)} y="{floor:.1f}" height="4"/>']
    for stretch in face.stretches:
        across = wide(*stretch)
        parts.append(
            f'<rect class="mark" {across} y="{_TOP}" height="{floor - _TOP:.1f}"/>'
            f'<rect class="flag" {across} y="{_TOP - 2}" height="4"/>'
        )
    lines = ((fake, escape(_("likely fake above"))), (real, escape(_("likely real below"))))
    for at in (fake, real):
        parts.append(f'<line class="line" x1="0" x2="100%" y1="{y(at):.1f}" y2="{y(at):.1f}"/>')
    for index, tick in enumerate(_ticks(span)):
        x = f"{share(tick):.2%}"
        parts.append(
            f'<g class="tick{" second" if index % 2 else ""}">'
            f'<line x1="{x}" x2="{x}" y1="{floor:.1f}" y2="{floor + 4:.1f}"/>'
            f'<text x="{x}" y="{floor + 18:.1f}" text-anchor="middle">{clock(tick)}</text></g>'
        )
    curves = [
        f'<path class="curve" d="{d}"/>' for d in _curves(face, lambda t: _ACROSS * share(t), y)
    ]
    parts.append(
        f'<svg viewBox="0 0 {_ACROSS} {_HEIGHT}" width="100%" height="{_HEIGHT}"'
        f' preserveAspectRatio="none">{"".join(curves)}</svg>'
    )
    # Over the curve, on a ground of their own: it must not strike them through.
    parts += [
        f'<text class="name" x="100%" y="{y(at) - 3:.1f}" text-anchor="end">{name}</text>'
        for at, name in lines
    ]
    heights = [  # left of the plot, where report.css leaves room
        f'<text x="-6" y="{y(value) + 8 * value - 2:.1f}" text-anchor="end">{part(value)}</text>'
        for value in (0.0, 0.5, 1.0)
    ]
    label = escape(_spoken(face), quote=True)
    return Markup(
        f'<svg class="timeline" width="100%" height="{_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(heights + parts)}</svg>"
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
