"""HLS playlists (RFC 8216) before FFmpeg sees them: counted, checked, and made smaller.

Every address in a playlist becomes an absolute one and is judged by its scheme here; where it leads
is judged when it is connected to. Of a master playlist one variant is left, so that nothing is
downloaded that nobody looks at.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from stream_server.ingest.urls.limits import MAX_RENDITIONS, MAX_SEGMENTS
from stream_server.ingest.urls.refusals import RefusedSourceError
from stream_server.redaction import without_secrets

# A quote ends a value, with a comma behind it or without, and so does the line: as FFmpeg reads it.
_URI = re.compile(r'((?<![^:,\s"])(?:URI|X-ASSET-URI|X-ASSET-LIST)=")([^"]*)("|$)', re.IGNORECASE)
_BARE_URI = re.compile(r"[:,\s\"]URI=(?!\")", re.IGNORECASE)
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^,]*)')
_VARIANT = "#EXT-X-STREAM-INF:"
_MEDIA = "#EXT-X-MEDIA:"
_KEYS = ("#EXT-X-KEY:", "#EXT-X-SESSION-KEY:")
# What a reader that takes whole segments has no use for, and what only costs.
_LEFT_OUT = (
    "#EXT-X-PART:", "#EXT-X-PRELOAD-HINT:", "#EXT-X-RENDITION-REPORT:",
    "#EXT-X-I-FRAME-STREAM-INF:", "#EXT-X-SESSION-DATA:", "#EXT-X-DATERANGE:",
    "#EXT-X-CONTENT-STEERING:",
)  # fmt: skip


@dataclass
class Playlist:
    """A playlist that may be read. ``children`` are the addresses of playlists inside it, ``keys``
    those of keys; ``ended`` says that nothing will be added."""

    text: str
    children: set[str] = field(default_factory=set)
    keys: set[str] = field(default_factory=set)
    ended: bool = False
    segments: int = 0

    @property
    def is_master(self) -> bool:
        return bool(self.children)


def is_playlist(start: bytes) -> bool:
    """Whether what begins so is an HLS playlist."""
    return start.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"#EXTM3U")


def checked_playlist(data: bytes, url: str, side: int) -> Playlist:
    """The playlist ``data`` that came from ``url``, for a reader whose pictures have a longer side
    of at most ``side`` pixels.

    Raises ``RefusedSourceError`` for a scheme but http and https anywhere in it, too many entries,
    or text that is none.
    """
    try:
        lines = [line.strip() for line in data.decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise RefusedSourceError(f"playlist {without_secrets(url)} is not text") from None
    if any(line.startswith(_VARIANT) for line in lines):
        return _master([line for line in lines if line], url, side)
    found = Playlist("")
    kept = []
    for line in lines:
        if not line or line.startswith(_LEFT_OUT):
            _addresses_in(line, url)  # refused all the same
            continue
        if line.startswith("#"):
            line, inside = _addresses_in(line, url)
            if line.startswith(_KEYS):
                found.keys |= inside
            found.ended |= line.startswith("#EXT-X-ENDLIST")
        else:
            line = absolute(line, url)
            found.segments += 1
        kept.append(line)
    if found.segments > MAX_SEGMENTS:
        raise RefusedSourceError(
            f"playlist {without_secrets(url)} has {found.segments} segments; the limit is"
            f" {MAX_SEGMENTS}"
        )
    found.text = "\n".join(kept) + "\n"
    return found


@dataclass(frozen=True)
class _Variant:
    line: str
    url: str
    attributes: dict[str, str]

    @property
    def side(self) -> int:
        width, _, height = self.attributes.get("RESOLUTION", "").partition("x")
        decimal = width.isdecimal() and height.isdecimal()
        return max(int(width[:9]), int(height[:9])) if decimal else 0

    @property
    def bandwidth(self) -> int:
        rate = self.attributes.get("BANDWIDTH", "")
        return int(rate[:12]) if rate.isdecimal() else 0


def _master(lines: list[str], url: str, side: int) -> Playlist:
    variants, media = [], []
    for line, following in zip(lines, [*lines[1:], "#"], strict=True):
        line, inside = _addresses_in(line, url)
        if line.startswith(_VARIANT) and not following.startswith("#"):
            variants.append(_Variant(line, absolute(following, url), _attributes(line)))
        elif line.startswith(_MEDIA):
            media.append((line, _attributes(line), inside))
        elif not line.startswith("#"):
            absolute(line, url)
    if len(variants) + len(media) > MAX_RENDITIONS:
        raise RefusedSourceError(
            f"playlist {without_secrets(url)} has {len(variants) + len(media)} variants and"
            f" renditions; the limit is {MAX_RENDITIONS}"
        )
    if not variants:
        raise RefusedSourceError(f"playlist {without_secrets(url)} names no stream")
    chosen = _choice(variants, side)
    found = Playlist("", {chosen.url})
    kept = ["#EXTM3U"]
    for line, attributes, inside in media:
        used = attributes.get("GROUP-ID") == chosen.attributes.get("AUDIO")
        if attributes.get("TYPE") == "AUDIO" and used and inside and len(kept) == 1:
            kept.append(line)
            found.children |= inside
    found.text = "\n".join([*kept, chosen.line, chosen.url]) + "\n"
    return found


def best(sizes: list[tuple[int, int]], side: int) -> int:
    """Which of several versions, by longer side in pixels and bits a second: the smallest that
    loses nothing at ``side``, with the most bits; else the largest there is."""
    enough = [size for size, _ in sizes if size >= side]
    wanted = min(enough) if enough else max(size for size, _ in sizes)
    return max(range(len(sizes)), key=lambda i: (sizes[i][0] == wanted, sizes[i][1]))


def _choice(variants: list[_Variant], side: int) -> _Variant:
    pictures = [one for one in variants if one.side] or variants
    return pictures[best([(one.side, one.bandwidth) for one in pictures], side)]


def _attributes(line: str) -> dict[str, str]:
    found = _ATTRIBUTE.findall(line.partition(":")[2])
    return {name: value.strip('"') for name, value in found}


def _addresses_in(line: str, base: str) -> tuple[str, set[str]]:
    inside: set[str] = set()
    if not line.startswith("#EXT"):
        return line, inside
    if _BARE_URI.search(line):
        raise RefusedSourceError(f"playlist {without_secrets(base)} has an address without quotes")

    def in_full(found: re.Match[str]) -> str:
        address = absolute(found[2], base)
        inside.add(address)
        return found[1] + address + found[3]

    return _URI.sub(in_full, line), inside


def absolute(address: str, base: str) -> str:
    """``address``, which stands in what came from ``base``, in full.

    Raises ``RefusedSourceError`` for a scheme but http and https, and where no host is named.
    """
    try:
        full = urljoin(base, address.strip())
        parts = urlsplit(full)
        scheme = parts.scheme.lower() if parts.netloc else ""
    except ValueError:
        scheme, full = "", address
    odd = any(ord(letter) <= 32 for letter in full) or address.lower().startswith("subfile,")
    if scheme not in ("http", "https") or odd:
        raise RefusedSourceError(
            f"playlist {without_secrets(base)} names {without_secrets(full)}; inside a stream only"
            " http and https are opened"
        )
    return full
