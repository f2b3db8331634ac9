"""How much of a file was looked at, and why not all of it: it has to add up to the whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream_server.ingest.files.media import Unread
from stream_server.ingest.files.timeline import Timeline
from stream_server.languages import worded, worded_n
from stream_server.report.model import Account, LeftOut
from stream_server.report.words import clock
from stream_server.scan.looking import PartLook

_REACH = 0.5  # seconds: what a sample stands for, at least
_LITTLE = 0.5  # seconds between two samples that are not told
_CROWDED = worded("More faces were in the picture at once than are followed (FAKELIGHT_MAX_FACES).")


def account(looks: Sequence[PartLook], unread: Sequence[Unread]) -> Account:
    """What was looked at of all parts, and what was not."""
    seconds = looked = 0.0
    pictures = seen = 0
    left_out: list[LeftOut] = []
    for look in looks:
        info = look.part.media.info
        if info.kind == "picture":
            pictures += 1
            if not look.upright.analysed:
                reason = worded("it cannot be decoded")
                left_out.append(LeftOut(look.part.label, "damaged", reason, pictures=1))
            elif look.crowds:
                left_out.append(LeftOut(look.part.label, "too_many_faces", _CROWDED, pictures=1))
            else:
                seen += 1
            continue
        length = info.duration or _reached(look)
        duration = length + info.broken_off + info.unreadable
        missing = list(_missing(look, info.timeline, length))
        if info.unreadable > _LITTLE:
            reason = worded(
                "The first {time} of it cannot be decoded.", time=clock(info.unreadable)
            )
            missing.append(LeftOut(look.part.label, "damaged", reason, info.unreadable))
        if info.broken_off:
            reason = worded(
                "The file says it lasts {whole}, but nothing could be read after {time}: it breaks"
                " off.",
                whole=clock(length + info.broken_off),
                time=clock(length),
            )
            missing.append(LeftOut(look.part.label, "broken_off", reason, info.broken_off))
        whole = duration - sum(one.seconds for one in missing)
        crowded = min(look.crowds / look.options.sample_hz, whole)
        if crowded > 0:
            missing.append(LeftOut(look.part.label, "too_many_faces", _CROWDED, crowded))
        left_out += missing
        seconds += duration
        looked += duration - sum(one.seconds for one in missing)
    for one in unread:
        seconds += one.seconds
        pictures += one.pictures
        left_out.append(LeftOut(one.what, one.code, one.reason, one.seconds, one.pictures))
    return Account(seconds, looked, pictures, seen, tuple(left_out))


def _missing(look: PartLook, timeline: Timeline | None, duration: float) -> list[LeftOut]:
    """The seconds of a part that no sample stands for, by their reason."""
    analysis, plan = look.upright, look.plan
    holes = _holes(analysis.times, timeline, duration)
    # Of a file that is looked at in stretches, the rest is left out by choice.
    last = max(analysis.times, default=0.0)
    chosen = [(a, b) for a, b in holes if not plan.whole or (analysis.exhausted and a >= last)]
    by_choice = sum(b - a for a, b in chosen)
    damaged = sum(b - a for a, b in holes) - by_choice
    label = look.part.label
    found = []
    if by_choice > 0:
        reason = worded(
            "The file is longer than the budget of {samples} looks (FAKELIGHT_SCAN_SAMPLES).",
            samples=plan.samples,
        )
        found.append(LeftOut(label, "budget", reason, by_choice))
    if damaged > _LITTLE:
        reason = worded(
            "{time} of it gave no pictures: they cannot be decoded.", time=clock(damaged)
        )
        found.append(LeftOut(label, "damaged", reason, damaged))
    return found


def _holes(
    times: Sequence[float], timeline: Timeline | None, duration: float
) -> list[tuple[float, float]]:
    """From when to when no sample stands for what is shown."""
    holes = []
    reached = 0.0
    for time in sorted(times):
        if time - reached > _LITTLE:
            holes.append((reached, time))
        shown = timeline.shown(time) if timeline is not None else 0.0
        reached = max(reached, time + max(_REACH, shown))
    if duration - reached > _LITTLE:
        holes.append((reached, duration))
    return holes


def _reached(look: PartLook) -> float:
    """The length of a part that does not say it, as far as it was read."""
    info = look.part.media.info
    last = max((counts.last for counts in look.upright.counts), default=0.0)
    return last + (1 / info.rate if info.rate else 0.0)


def gaps_told(look: PartLook) -> list[str]:
    """Where a part holds no new picture for long, in sentences."""
    timeline = look.part.media.info.timeline
    if timeline is None:
        return []
    found = timeline.gaps()
    told: list[str] = [
        worded("From {start} to {end} there is no new picture.", start=clock(start), end=clock(end))
        for start, end in found[:5]
    ]
    if len(found) > 5:
        rest = np.sum([end - start for start, end in found[5:]])
        told.append(
            worded_n(
                "{count} more gap holds no new picture, {time} in all.",
                "{count} more gaps hold no new picture, {time} in all.",
                len(found) - 5,
                time=clock(float(rest)),
            )
        )
    return told
