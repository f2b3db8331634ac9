"""What an offer must hold before it reaches the WebRTC stack, and what we add to the answer.

SDP is RFC 8866, WHIP's rules for it RFC 9725 (4.2 to 4.4): one bundled session with one video that
the client sends, at most one audio and one data section.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stream_server.problem import ProblemError

CODECS = ("VP8", "H264")
MAX_CANDIDATES = 64
_KINDS = ("video", "audio", "application")
_SENDING = ("sendonly", "sendrecv")


class OfferError(ProblemError):
    """An offer or fragment that cannot be used."""


@dataclass(frozen=True)
class Bitrates:
    """What a browser is asked to send, kbit/s. Left alone it starts so low that the traces of
    manipulation are gone."""

    start: int
    least: int
    most: int


def check_offer(text: str) -> str:
    """``text`` with the lines left out that only slow the connection down.

    Names ending in ``.local`` (mDNS) can seldom be resolved here and the peer's checks reach us
    anyway; with ``end-of-candidates`` the stack would give up before they do.
    Raises ``OfferError``: 400 for what is no SDP, 422 for an offer that asks for what there is not.
    """
    lines = text.replace("\r\n", "\n").rstrip("\n").split("\n")
    if lines[0] != "v=0":
        raise OfferError(400, f"the offer begins with {lines[0][:40]!r}, not with 'v=0'")
    for number, line in enumerate(lines, 1):
        if len(line) < 2 or line[1] != "=" or not line.isprintable():
            raise OfferError(400, f"line {number} of the offer is {line[:40]!r}, not key=value")
    sections = _sections(lines)
    if not sections:
        raise OfferError(400, "the offer has no media section")
    _check_kinds(sections)
    video = next((one for one in sections if one[0].startswith("m=video ")), None)
    if video is None or video[0].split()[1] == "0":
        raise OfferError(422, "the offer has no video track; sound alone cannot be judged")
    _check_video(video, lines)
    # The stack would find this out only after its answer.
    for name in ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"):
        if not any(line.startswith(name) for line in lines):
            raise OfferError(400, f"the offer has no {name[2:-1]} and cannot be used")
    if len(sections) > 1 and not any(line.startswith("a=group:BUNDLE ") for line in lines):
        raise OfferError(422, "the offer's media are not bundled (a=group:BUNDLE); WHIP needs it")
    count = sum(line.startswith("a=candidate:") for line in lines)
    if count > MAX_CANDIDATES:
        raise OfferError(422, f"{count} candidates in the offer; the limit is {MAX_CANDIDATES}")
    return "\r\n".join(line for line in lines if not _useless(line)) + "\r\n"


def munge_answer(text: str, rates: Bitrates) -> str:
    """The answer with the bitrates for browsers (``x-google-*``) on each video codec."""
    wanted = (
        f"x-google-start-bitrate={rates.start};x-google-min-bitrate={rates.least};"
        f"x-google-max-bitrate={rates.most}"
    )
    lines = text.split("\r\n")
    described = {
        line.removeprefix("a=fmtp:").split(" ")[0] for line in lines if line.startswith("a=fmtp:")
    }
    video = _video_payloads(lines)
    out: list[str] = []
    for line in lines:
        kind, _, rest = line.partition(":")
        payload = rest.split(" ")[0]
        if kind == "a=fmtp" and payload in video:
            line = f"{line};{wanted}"
        out.append(line)
        if kind == "a=rtpmap" and payload in video and payload not in described:
            out.append(f"a=fmtp:{payload} {wanted}")
    return "\r\n".join(out)


@dataclass(frozen=True)
class Fragment:
    """A trickle ICE fragment (RFC 8840, 9): credentials and candidate lines without ``a=``."""

    ufrag: str | None
    password: str | None
    candidates: tuple[str, ...]

    def text(self) -> str:
        """The fragment as ``application/trickle-ice-sdpfrag``, with all candidates there are."""
        lines = [
            f"a=ice-ufrag:{self.ufrag}",
            f"a=ice-pwd:{self.password}",
            "m=video 9 UDP/TLS/RTP/SAVPF 0",
            "a=mid:0",
            *(f"a={candidate}" for candidate in self.candidates),
            "a=end-of-candidates",
        ]
        return "\r\n".join(lines) + "\r\n"


def read_fragment(text: str) -> Fragment:
    """Parse ``application/trickle-ice-sdpfrag``. Raises ``OfferError`` (400, 422)."""
    ufrag = password = None
    candidates = []
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if line and (len(line) < 2 or line[1] != "=" or not line.isprintable()):
            raise OfferError(400, f"line {number} of the fragment is {line[:40]!r}, not key=value")
        name, _, value = line.partition(":")
        if name == "a=ice-ufrag":
            ufrag = value
        elif name == "a=ice-pwd":
            password = value
        elif name == "a=candidate" and not _useless(line):
            candidates.append(line.removeprefix("a="))
    if len(candidates) > MAX_CANDIDATES:
        raise OfferError(
            422, f"{len(candidates)} candidates at once; the limit is {MAX_CANDIDATES}"
        )
    return Fragment(ufrag, password, tuple(candidates))


def _sections(lines: Iterable[str]) -> list[list[str]]:
    sections: list[list[str]] = []
    for line in lines:
        if line.startswith("m="):
            if len(line.split()) < 4:
                raise OfferError(400, f"the media line {line[:60]!r} has fewer than four parts")
            sections.append([])
        if sections:
            sections[-1].append(line)
    return sections


def _check_kinds(sections: list[list[str]]) -> None:
    kinds = [section[0][2:].split()[0] for section in sections]
    for kind in kinds:
        if kind not in _KINDS:
            raise OfferError(422, f"a media section of kind {kind[:20]!r}; known: {_KINDS}")
        if kinds.count(kind) > 1:
            count = kinds.count(kind)
            raise OfferError(422, f"{count} {kind} sections in the offer; the limit is one of each")


def _check_video(video: list[str], lines: list[str]) -> None:
    directions = ("sendonly", "sendrecv", "recvonly", "inactive")
    own = [line[2:] for line in video if line[2:] in directions]
    session = [line[2:] for line in lines[: lines.index(video[0])] if line[2:] in directions]
    direction = (own or session or ["sendrecv"])[0]
    if direction not in _SENDING:
        raise OfferError(422, f"the video is {direction}; a source must send it (sendonly)")
    offered = [
        line.split(" ")[1].split("/")[0].upper()
        for line in video
        if line.startswith("a=rtpmap:") and " " in line
    ]
    if not any(name in CODECS for name in offered):
        names = ", ".join(dict.fromkeys(offered)) or "nothing"
        raise OfferError(422, f"the video is offered as {names[:80]}; this server takes {CODECS}")


def _useless(line: str) -> bool:
    if line == "a=end-of-candidates":
        return True
    if not line.startswith("a=candidate:"):
        return False
    parts = line.split()
    if len(parts) < 8:
        raise OfferError(400, f"the candidate {line[:60]!r} has fewer than eight parts")
    return parts[4].lower().endswith(".local") or parts[2].lower() != "udp"


def _video_payloads(lines: Iterable[str]) -> set[str]:
    payloads, inside = set(), False
    for line in lines:
        if line.startswith("m="):
            inside = line.startswith("m=video ")
        elif inside and line.startswith("a=rtpmap:"):
            payload, _, name = line.removeprefix("a=rtpmap:").partition(" ")
            if name.split("/")[0].upper() in CODECS:
                payloads.add(payload)
    return payloads
