"""MPEG-DASH manifests (ISO/IEC 23009-1) as HLS playlists, which one reader then plays.

FFmpeg's own reader of manifests opens addresses around everything that checks them. Translated,
both kinds go one way: one video representation, its newest segments, no sound.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree import ElementTree

from stream_server.ingest.urls.dash_segments import NEWEST, Addressing, Segment
from stream_server.ingest.urls.limits import MAX_RENDITIONS
from stream_server.ingest.urls.playlists import absolute, best
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from stream_server.redaction import without_secrets

_HREF = "{http://www.w3.org/1999/xlink}href"
_ADDRESSES = ("media", "initialization", "sourceURL", "index", _HREF)
_PART = r"(\d{1,9})"
_DURATION = re.compile(
    rf"P(?:{_PART}Y)?(?:{_PART}M)?(?:{_PART}D)?"
    rf"(?:T(?:{_PART}H)?(?:{_PART}M)?(?:(\d{{1,9}}(?:\.\d{{1,9}})?)S)?)?",
    re.ASCII,
)
_UNITS = (31536000, 2592000, 86400, 3600, 60, 1)


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
            raise RefusedSourceError(
                f"manifest {without_secrets(url)}: the stream is encrypted (DRM)"
            )
        source = Addressing(period, sets, chosen, base)
        since = self._now() - _time(root.get("availabilityStartTime")) - start if live else None
        length = _seconds(period.get("duration") or root.get("mediaPresentationDuration"))
        segments = source.segments(since, length)
        if live:
            segments = segments[-NEWEST:]
        if not segments:
            raise SourceGoneError(f"manifest {without_secrets(url)} names no segment yet")
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
        on = [pair for pair in begun if pair[1] <= at]
        if not on:
            raise SourceGoneError("the programme has not begun yet")
        period, start = on[-1] if live else begun[0]
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
                f"manifest {without_secrets(url)} has {len(found)} representations; the limit is"
                f" {MAX_RENDITIONS}"
            )
        if not found:
            raise SourceGoneError(f"manifest {without_secrets(url)} holds no video")
        sizes = [
            (
                max(_whole(one, sets, "width"), _whole(one, sets, "height")),
                _whole(one, sets, "bandwidth"),
            )
            for one, sets in found
        ]
        return found[best(sizes, self._side)]

    def _written(self, segments: list[Segment], initialization: str | None, live: bool) -> str:
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


def is_manifest(start: bytes) -> bool:
    """Whether what begins so is a DASH manifest."""
    return b"<MPD" in start


def _parsed(data: bytes, url: str) -> ElementTree.Element:
    try:
        text = data.decode("utf-8-sig")
        if "<!DOCTYPE" in text or "<!ENTITY" in text:
            raise RefusedSourceError(f"manifest {without_secrets(url)} declares a document type")
        return ElementTree.fromstring(text)
    except (ElementTree.ParseError, UnicodeDecodeError):
        raise RefusedSourceError(f"manifest {without_secrets(url)} is not XML in UTF-8") from None


def _check_addresses(root: ElementTree.Element, url: str) -> None:
    """Every address in the manifest, whether it is used or not."""
    for one in root.iter():
        if one.get(_HREF) is not None:
            raise RefusedSourceError(
                f"manifest {without_secrets(url)} takes a part of itself from elsewhere (xlink)"
            )
        if one.tag.rpartition("}")[2] in ("BaseURL", "Location"):
            absolute(one.text or "", url)
        for name in _ADDRESSES:
            if one.get(name):
                absolute(one.get(name, ""), url)


def _based(base: str, holder: ElementTree.Element) -> str:
    found = holder.find("{*}BaseURL")
    return base if found is None or not found.text else absolute(found.text, base)


def _whole(one: ElementTree.Element, sets: ElementTree.Element, name: str) -> int:
    value = one.get(name) or sets.get(name) or ""
    return int(value[:9]) if value.isdecimal() and value.isascii() else 0


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
