"""The segments of one DASH representation: which there are, and where."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from xml.etree import ElementTree

from stream_server.ingest.urls.limits import MAX_SEGMENTS
from stream_server.ingest.urls.playlists import absolute
from stream_server.ingest.urls.refusals import RefusedSourceError

NEWEST = 6
"""Segments of a live stream that are told."""

_PLACE = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth)(?:%0(\d{1,2})d)?)?\$")


@dataclass(frozen=True)
class Segment:
    """``start`` is in ticks of the representation's own scale."""

    number: int
    start: int
    seconds: float
    url: str


class Addressing:
    """Where the segments of one representation are: by template, by list, or all in one."""

    def __init__(
        self,
        period: ElementTree.Element,
        sets: ElementTree.Element,
        chosen: ElementTree.Element,
        base: str,
    ) -> None:
        self._base = base
        self._places = {
            "RepresentationID": chosen.get("id", ""),
            "Bandwidth": chosen.get("bandwidth", "0"),
        }
        holders = (chosen, sets, period)
        self._template = [t for h in holders if (t := h.find("{*}SegmentTemplate")) is not None]
        self._list = [t for h in holders if (t := h.find("{*}SegmentList")) is not None]
        self.initialization = self._initialization()

    def segments(self, since: float | None, length: float) -> list[Segment]:
        """Those that are there: ``since`` seconds after a live stream began, or in all of
        ``length`` seconds. Raises ``RefusedSourceError`` for too many, and for an address that is
        none once its template is filled in."""
        if self._list:
            every = self._seconds_each(self._list)
            found = self._list[0].findall("{*}SegmentURL")
            _check_count(len(found))
            return [
                Segment(i, i, every, absolute(one.get("media", ""), self._base))
                for i, one in enumerate(found)
            ]
        if not self._template:
            return [Segment(0, 0, max(length, 1.0), self._base)]
        return [
            Segment(number, start, ticks / self._scale, self._address(number, start))
            for number, start, ticks in self._moments(since, length)
        ]

    @property
    def _scale(self) -> int:
        return max(self._number(self._template, "timescale", 1), 1)

    def _moments(self, since: float | None, length: float) -> list[tuple[int, int, int]]:
        """Number, start and duration of each segment, in ticks."""
        first = self._number(self._template, "startNumber", 1)
        for one in self._template:
            timeline = one.find("{*}SegmentTimeline")
            if timeline is not None:
                moments = list(_timeline(timeline, since, self._scale))
                return [(first + i, start, ticks) for i, (start, ticks) in enumerate(moments)]
        ticks = self._number(self._template, "duration", 0)
        if ticks <= 0:
            raise RefusedSourceError("the manifest gives its segments no duration")
        if since is None:
            count = math.ceil(length * self._scale / ticks)
            _check_count(count)
            return [(first + i, i * ticks, ticks) for i in range(count)]
        # One less than should be there: the clocks of two machines differ.
        whole = max(int(since * self._scale // ticks) - 1, 0)
        return [(first + i, i * ticks, ticks) for i in range(max(whole - NEWEST, 0), whole)]

    def _initialization(self) -> str | None:
        name = self._attribute(self._template, "initialization", "")
        if name:
            return absolute(self._filled(name, 0, 0), self._base)
        for one in (*self._list, *self._template):
            inside = one.find("{*}Initialization")
            if inside is not None:
                return absolute(inside.get("sourceURL", ""), self._base)
        return None

    def _address(self, number: int, start: int) -> str:
        media = self._attribute(self._template, "media", "")
        return absolute(self._filled(media, number, start), self._base)

    def _filled(self, template: str, number: int, start: int) -> str:
        values = {**self._places, "Number": str(number), "Time": str(start)}

        def fill(found: re.Match[str]) -> str:
            if not found[1]:
                return "$"
            return values[found[1]].zfill(int(found[2] or 0))

        return _PLACE.sub(fill, template)

    def _seconds_each(self, holders: list[ElementTree.Element]) -> float:
        scale = max(self._number(holders, "timescale", 1), 1)
        return self._number(holders, "duration", scale) / scale

    def _number(self, holders: list[ElementTree.Element], name: str, otherwise: int) -> int:
        return _whole(name, self._attribute(holders, name, str(otherwise)))

    @staticmethod
    def _attribute(holders: list[ElementTree.Element], name: str, otherwise: str) -> str:
        return next((value for one in holders if (value := one.get(name))), otherwise)


def _timeline(
    timeline: ElementTree.Element, since: float | None, scale: int
) -> Iterator[tuple[int, int]]:
    """Start and duration of each segment, in ticks."""
    entries = timeline.findall("{*}S")
    at, count = 0, 0
    for entry, following in zip_longest(entries, entries[1:]):
        at = _whole("t", entry.get("t", str(at)))
        ticks = max(_whole("d", entry.get("d", "0")), 1)
        repeats = _whole("r", entry.get("r", "0"))
        if repeats < 0:
            until = following.get("t") if following is not None else None
            end = _whole("t", until) if until else at + int((since or 0) * scale)
            repeats = max((end - at) // ticks - 1, 0)
        count += repeats + 1
        _check_count(count)
        for _ in range(repeats + 1):
            yield at, ticks
            at += ticks


def _whole(name: str, text: str) -> int:
    """A whole number. Raises ``RefusedSourceError`` for anything else, and for more digits than any
    clock needs."""
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise RefusedSourceError(
            f"the manifest's {name} is {text[:40]!r}, no whole number of up to 18 digits"
        )
    return int(text)


def _check_count(count: int) -> None:
    if count > MAX_SEGMENTS:
        raise RefusedSourceError(f"the manifest has {count} segments; the limit is {MAX_SEGMENTS}")
