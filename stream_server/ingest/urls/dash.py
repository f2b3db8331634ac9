"""MPEG-DASH manifests (ISO/IEC 23009-1) as HLS playlists, which one reader then plays.

FFmpeg's own reader of manifests opens addresses around everything that checks them. Translated,
both kinds go one way: one video representation, its newest segments, no sound.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urljoin
from xml.etree import ElementTree

from stream_server.ingest.urls.limits import MAX_RENDITIONS, MAX_SEGMENTS
from stream_server.ingest.urls.playlists import absolute, best
from stream_server.ingest.urls.redaction import redacted_url
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError

_NEWEST = 6  # segments of a live stream that are told
_HREF = "{http://www.w3.org/1999/xlink}href"
_ADDRESSES = ("media", "initialization", "sourceURL", "index", _HREF)
_DURATION = re.compile(
    r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_UNITS = (31536000, 2592000, 86400, 3600, 60, 1)
_PLACE = re.compile(r"\$(?:(RepresentationID|Number|Time|Bandwidth)(?:%0(\d{1,2})d)?)?\$")


@dataclass(frozen=True)
class _Segment:
    number: int
    start: int
    seconds: float
    url: str


class DashTranslator:
    """Turns each manifest of one stream, as it is read again and again, into a playlist.

    ``side`` is the longer side of the pictures that are wanted, in pixels; ``now`` the time, in
    seconds since 1970.
    """

    def __init__(self, side: int, now: Callable[[], float] = time.time) -> None:
        self._side = side
        self._now = now
        self._period: str | None = None
        self._numbers: dict[int, int] = {}  # of segments that are known by their time alone
        self.location: str | None = None

    def __call__(self, data: bytes, url: str) -> bytes:
        """The playlist for the manifest ``data`` that came from ``url``.

        Raises ``RefusedSourceError`` for what is forbidden, encrypted, too long or no manifest, and
        ``SourceGoneError`` where another part of the programme begins, with its own format.
        """
        root = _parsed(data, url)
        _check_addresses(root, url)
        location = root.find("{*}Location")
        if location is not None and location.text:
            self.location = absolute(location.text, url)
        live = root.get("type") == "dynamic"
        period, start = self._current(root, live)
        base = _based(_based(url, root), period)
        chosen, sets = self._choice(period, url)
        for one in (sets, chosen):
            base = _based(base, one)
        if any(one.find("{*}ContentProtection") is not None for one in (sets, chosen)):
            raise RefusedSourceError(f"manifest {redacted_url(url)}: the stream is encrypted (DRM)")
        source = _Addressing(period, sets, chosen, base)
        since = self._now() - _time(root.get("availabilityStartTime")) - start if live else None
        length = _seconds(period.get("duration") or root.get("mediaPresentationDuration"))
        segments = source.segments(since, length)
        if live:
            segments = segments[-_NEWEST:]
        if not segments:
            raise SourceGoneError(f"manifest {redacted_url(url)} names no segment yet")
        return self._written(segments, source.initialization, live).encode()

    def _current(self, root: ElementTree.Element, live: bool) -> tuple[ElementTree.Element, float]:
        """The period that is on now, and when it began, in seconds of the programme."""
        periods = root.findall("{*}Period")
        if not periods:
            raise SourceGoneError("the manifest has no period")
        begun, start = [], 0.0
        for one in periods:
            start = _seconds(one.get("start")) if one.get("start") else start
            begun.append((one, start))
            start += _seconds(one.get("duration"))
        at = self._now() - _time(root.get("availabilityStartTime")) if live else math.inf
        period, start = [pair for pair in begun if pair[1] <= at][-1:][0] if live else begun[0]
        name = period.get("id") or str(start)
        if self._period not in (None, name):
            raise SourceGoneError("the next period of the programme begins")
        self._period = name
        return period, start

    def _choice(
        self, period: ElementTree.Element, url: str
    ) -> tuple[ElementTree.Element, ElementTree.Element]:
        """The representation that is played, and the set that it is in."""
        found = []
        for sets in period.findall("{*}AdaptationSet"):
            for one in sets.findall("{*}Representation"):
                kind = one.get("mimeType") or sets.get("mimeType") or sets.get("contentType") or ""
                if kind.startswith("video"):
                    found.append((one, sets))
        if len(found) > MAX_RENDITIONS:
            raise RefusedSourceError(
                f"manifest {redacted_url(url)} has {len(found)} representations; the limit is"
                f" {MAX_RENDITIONS}"
            )
        if not found:
            raise SourceGoneError(f"manifest {redacted_url(url)} holds no video")
        sizes = [
            (
                max(_whole(one, sets, "width"), _whole(one, sets, "height")),
                _whole(one, sets, "bandwidth"),
            )
            for one, sets in found
        ]
        return found[best(sizes, self._side)]

    def _written(self, segments: list[_Segment], initialization: str | None, live: bool) -> str:
        known = [one for one in segments if one.start in self._numbers]
        first = segments[0].number
        if known:
            first = self._numbers[known[0].start] - segments.index(known[0])
        elif self._numbers:
            first = max(self._numbers.values()) + 1
        self._numbers = {one.start: first + i for i, one in enumerate(segments)}
        longest = max(one.seconds for one in segments)
        lines = ["#EXTM3U", "#EXT-X-VERSION:7", f"#EXT-X-TARGETDURATION:{math.ceil(longest)}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
        if initialization is not None:
            lines.append(f'#EXT-X-MAP:URI="{initialization}"')
        for one in segments:
            lines += [f"#EXTINF:{one.seconds:.6f},", one.url]
        if not live:
            lines.append("#EXT-X-ENDLIST")
        return "\n".join(lines) + "\n"


class _Addressing:
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

    def segments(self, since: float | None, length: float) -> list[_Segment]:
        """Those that are there: ``since`` seconds after a live stream began, or in all of
        ``length`` seconds. Raises ``RefusedSourceError`` for too many."""
        if self._list:
            every = self._seconds_each(self._list)
            found = self._list[0].findall("{*}SegmentURL")
            _check_count(len(found))
            return [
                _Segment(i, i, every, urljoin(self._base, one.get("media", "")))
                for i, one in enumerate(found)
            ]
        if not self._template:
            return [_Segment(0, 0, max(length, 1.0), self._base)]
        return [
            _Segment(number, start, ticks / self._scale, self._address(number, start))
            for number, start, ticks in self._moments(since, length)
        ]

    @property
    def _scale(self) -> int:
        return max(int(self._attribute(self._template, "timescale", "1")), 1)

    def _moments(self, since: float | None, length: float) -> list[tuple[int, int, int]]:
        """Number, start and duration of each segment, in ticks."""
        first = int(self._attribute(self._template, "startNumber", "1"))
        for one in self._template:
            timeline = one.find("{*}SegmentTimeline")
            if timeline is not None:
                moments = list(_timeline(timeline, since, self._scale))
                return [(first + i, start, ticks) for i, (start, ticks) in enumerate(moments)]
        ticks = int(self._attribute(self._template, "duration", "0"))
        if ticks <= 0:
            raise RefusedSourceError("the manifest gives its segments no duration")
        if since is None:
            count = math.ceil(length * self._scale / ticks)
            _check_count(count)
            return [(first + i, i * ticks, ticks) for i in range(count)]
        # One less than should be there: the clocks of two machines differ.
        whole = max(int(since * self._scale // ticks) - 1, 0)
        return [(first + i, i * ticks, ticks) for i in range(max(whole - _NEWEST, 0), whole)]

    def _initialization(self) -> str | None:
        name = self._attribute(self._template, "initialization", "")
        if name:
            return urljoin(self._base, self._filled(name, 0, 0))
        for one in (*self._list, *self._template):
            inside = one.find("{*}Initialization")
            if inside is not None:
                return urljoin(self._base, inside.get("sourceURL", ""))
        return None

    def _address(self, number: int, start: int) -> str:
        media = self._attribute(self._template, "media", "")
        return urljoin(self._base, self._filled(media, number, start))

    def _filled(self, template: str, number: int, start: int) -> str:
        values = {**self._places, "Number": str(number), "Time": str(start)}

        def fill(found: re.Match[str]) -> str:
            if not found[1]:
                return "$"
            return values[found[1]].zfill(int(found[2] or 0))

        return _PLACE.sub(fill, template)

    def _seconds_each(self, holders: list[ElementTree.Element]) -> float:
        scale = max(int(self._attribute(holders, "timescale", "1")), 1)
        return int(self._attribute(holders, "duration", str(scale))) / scale

    @staticmethod
    def _attribute(holders: list[ElementTree.Element], name: str, otherwise: str) -> str:
        return next((value for one in holders if (value := one.get(name))), otherwise)


def is_manifest(start: bytes) -> bool:
    """Whether what begins so is a DASH manifest."""
    return b"<MPD" in start


def _parsed(data: bytes, url: str) -> ElementTree.Element:
    try:
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise RefusedSourceError(f"manifest {redacted_url(url)} declares a document type")
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, UnicodeDecodeError):
        raise RefusedSourceError(f"manifest {redacted_url(url)} is not XML in UTF-8") from None


def _check_addresses(root: ElementTree.Element, url: str) -> None:
    """Every address in the manifest, whether it is used or not."""
    for one in root.iter():
        if one.get(_HREF) is not None:
            raise RefusedSourceError(
                f"manifest {redacted_url(url)} takes a part of itself from elsewhere (xlink)"
            )
        if one.tag.rpartition("}")[2] in ("BaseURL", "Location"):
            absolute(one.text or "", url)
        for name in _ADDRESSES:
            if one.get(name):
                absolute(one.get(name, ""), url)


def _timeline(
    timeline: ElementTree.Element, since: float | None, scale: int
) -> Iterator[tuple[int, int]]:
    """Start and duration of each segment, in ticks."""
    entries = timeline.findall("{*}S")
    at, count = 0, 0
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        at = int(entry.get("t", at))
        ticks = max(int(entry.get("d", 0)), 1)
        repeats = int(entry.get("r", 0))
        if repeats < 0:
            until = following.get("t") if following is not None else None
            end = int(until) if until else at + int((since or 0) * scale)
            repeats = max((end - at) // ticks - 1, 0)
        count += repeats + 1
        _check_count(count)
        for _ in range(repeats + 1):
            yield at, ticks
            at += ticks


def _check_count(count: int) -> None:
    if count > MAX_SEGMENTS:
        raise RefusedSourceError(f"the manifest has {count} segments; the limit is {MAX_SEGMENTS}")


def _based(base: str, holder: ElementTree.Element) -> str:
    found = holder.find("{*}BaseURL")
    return base if found is None or not found.text else absolute(found.text, base)


def _whole(one: ElementTree.Element, sets: ElementTree.Element, name: str) -> int:
    value = one.get(name) or sets.get(name) or ""
    return int(value[:9]) if value.isdecimal() else 0


def _seconds(text: str | None) -> float:
    """An xs:duration such as PT1H2M3.5S."""
    found = _DURATION.fullmatch(text or "")
    if found is None:
        return 0.0
    return sum(
        float(part) * unit for part, unit in zip(found.groups(), _UNITS, strict=True) if part
    )


def _time(text: str | None) -> float:
    """An xs:dateTime, in seconds since 1970; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text or "1970-01-01T00:00:00Z")
    except ValueError:
        return 0.0
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
