"""H.264 in an offer: which profiles are taken, and parameter sets that are told in words alone.

RFC 6184: ``profile-level-id`` and ``packetization-mode`` say how the sender codes (8.1), and
``sprop-parameter-sets`` may hold what a decoder needs before the first picture; some senders do not
repeat it in the stream. aiortc knows the baseline profile in mode 1 only; the decoder behind it
decodes every profile, and unpacks mode 0 as well.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from stream_server.ingest.webrtc.sdp import OfferError

_BASELINE = "42e01f"
_START = b"\x00\x00\x00\x01"
_SLICE, _SPS = 5, 7  # the kinds of NAL unit: a key picture, a sequence parameter set
_LOOKED_THROUGH = 4096  # bytes of a frame in which a parameter set would begin
_PROFILE = re.compile(r"[0-9a-fA-F]{6}")


@dataclass(frozen=True)
class Offered:
    """An offer as the stack gets it. ``changed`` holds what was put into other words there, by
    payload type: the parameter lines as the client wrote them, which the answer has to repeat.
    ``sets`` are the parameter sets by payload type, as a decoder takes them."""

    text: str
    changed: dict[str, dict[str, str]]
    sets: dict[int, bytes]


def taken(text: str) -> Offered:
    """``text`` so that an H.264 of any profile is taken, where the offer has nothing else.

    What the stack knows by itself is left as it is: a client's order of preference counts. Raises
    ``OfferError`` (422) where there is nothing that can be taken.
    """
    lines = text.split("\r\n")
    codecs = _codecs(lines)
    parameters = _parameters(lines)
    sets = {
        int(payload): found
        for payload, name in codecs.items()
        if name == "H264"
        and (found := _annex_b(parameters.get(payload, {}).get("sprop-parameter-sets", "")))
    }
    known = [p for p, name in codecs.items() if _is_known(name, parameters.get(p, {}))]
    if known:
        return Offered(text, {}, sets)
    changed = {
        payload: parameters.get(payload, {})
        for payload, name in codecs.items()
        if name == "H264" and _PROFILE.fullmatch(_profile(parameters.get(payload, {})))
    }
    if not changed:
        wrong = [_profile(p) for n, p in parameters.items() if codecs.get(n) == "H264"]
        raise OfferError(
            422,
            f"the H264 of the offer has the profile-level-id {', '.join(wrong)[:60]!r},"
            " which is no profile",
        )
    out = [line for line in lines if _payload(line, "a=fmtp:") not in changed]
    place = next(i for i, line in enumerate(out) if line.startswith("m=video "))
    end = next((i for i in range(place + 1, len(out)) if out[i].startswith("m=")), len(out) - 1)
    out[end:end] = [
        f"a=fmtp:{payload} packetization-mode=1;profile-level-id={_BASELINE}" for payload in changed
    ]
    return Offered("\r\n".join(out), changed, sets)


def answered(text: str, changed: dict[str, dict[str, str]]) -> str:
    """The stack's answer with what the client offered in the place of what the stack was told."""
    lines = []
    for line in text.split("\r\n"):
        payload = _payload(line, "a=fmtp:")
        if payload in changed:
            offered = changed[payload]
            told = {
                "level-asymmetry-allowed": "1",
                "packetization-mode": offered.get("packetization-mode", "0"),
                "profile-level-id": _profile(offered),
            }
            line = f"a=fmtp:{payload} " + ";".join(f"{k}={v}" for k, v in told.items())
        lines.append(line)
    return "\r\n".join(lines)


def with_parameter_sets(frame: bytes, sets: bytes) -> bytes:
    """``frame`` with ``sets`` before it, if it is a key picture that has none of its own."""
    kinds = _kinds(frame)
    return sets + frame if _SLICE in kinds and _SPS not in kinds else frame


def _kinds(frame: bytes) -> set[int]:
    found = set()
    start = frame.find(b"\x00\x00\x01")
    while 0 <= start < len(frame) - 3:
        found.add(frame[start + 3] & 0x1F)
        start = frame.find(b"\x00\x00\x01", start + 3, _LOOKED_THROUGH)
    return found


def _codecs(lines: list[str]) -> dict[str, str]:
    """The payload types of the video section and their codecs."""
    found: dict[str, str] = {}
    in_video = False
    for line in lines:
        if line.startswith("m="):
            in_video = line.startswith("m=video ")
        payload = _payload(line, "a=rtpmap:")
        if in_video and payload and " " in line:
            found[payload] = line.split(" ")[1].split("/")[0].upper()
    return found


def _parameters(lines: list[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for line in lines:
        payload = _payload(line, "a=fmtp:")
        if payload:
            pairs = (pair.strip().partition("=") for pair in line.partition(" ")[2].split(";"))
            found[payload] = {name.lower(): value for name, _, value in pairs if name}
    return found


def _payload(line: str, kind: str) -> str:
    return line.removeprefix(kind).split(" ")[0] if line.startswith(kind) else ""


def _profile(parameters: dict[str, str]) -> str:
    return parameters.get("profile-level-id", _BASELINE)


def _is_known(name: str, parameters: dict[str, str]) -> bool:
    if name != "H264":
        return name == "VP8"
    return parameters.get("packetization-mode") == "1" and _profile(parameters)[:2] == "42"


def _annex_b(sets: str) -> bytes:
    """Parameter sets in base64, comma between them, as a stream; empty where they are broken."""
    try:
        units = [base64.b64decode(one, validate=True) for one in sets.split(",") if one]
    except (binascii.Error, ValueError):
        return b""
    return b"".join(_START + unit for unit in units)
