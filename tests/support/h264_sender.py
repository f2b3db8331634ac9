"""H.264 as hardware encoders send it: profiles and parameter sets that browsers do not use."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import av
from aiortc.mediastreams import MediaStreamTrack

HIGH, BASELINE = "640c1f", "42e01f"
_START = b"\x00\x00\x00\x01"
_SETS = (7, 8)  # sequence and picture parameter sets


def encoded(pictures: Sequence[Any], profile: str, rate: int = 15) -> list[list[bytes]]:
    """The NAL units of each picture (uint8 ``[H, W, 3]``), a key picture every second."""
    context: Any = av.CodecContext.create("libx264", "w")
    context.height, context.width = pictures[0].shape[:2]
    context.pix_fmt, context.framerate, context.time_base = "yuv420p", rate, Fraction(1, rate)
    context.gop_size = rate
    context.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": profile}
    if profile == "high":
        context.options["x264-params"] = "8x8dct=1:cabac=1"
    packets = []
    for number, picture in enumerate(pictures):
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        packets += context.encode(frame)
    packets += context.encode(None)
    return [re.split(rb"\x00?\x00\x00\x01", bytes(packet))[1:] for packet in packets]


def parameter_sets(pictures: Sequence[Sequence[bytes]]) -> list[bytes]:
    return [unit for unit in pictures[0] if unit[0] & 0x1F in _SETS]


def without_sets(pictures: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    return [[unit for unit in one if unit[0] & 0x1F not in _SETS] for one in pictures]


def scrambled(pictures: Sequence[Sequence[bytes]]) -> list[list[bytes]]:
    """What is left to read of pictures that the sender encrypts for somebody else."""
    return [
        [
            unit if unit[0] & 0x1F in _SETS else unit[:1] + bytes(0xA5 | b for b in unit[1:])
            for unit in one
        ]
        for one in pictures
    ]


class Encoded(MediaStreamTrack):
    """A track that sends ``pictures`` (NAL units of each) again and again."""

    kind = "video"

    def __init__(self, pictures: Sequence[Sequence[bytes]], rate: int = 15) -> None:
        super().__init__()
        self._pictures = pictures
        self._rate = rate
        self._sent = 0
        self._started: float | None = None

    async def recv(self) -> Any:
        now = time.monotonic()
        self._started = now if self._started is None else self._started
        await asyncio.sleep(max(0.0, self._started + self._sent / self._rate - now))
        units = self._pictures[self._sent % len(self._pictures)]
        packet = av.Packet(b"".join(_START + unit for unit in units))
        packet.pts, packet.time_base = self._sent, Fraction(1, self._rate)
        self._sent += 1
        return packet


class Wording:
    """The H.264 of an offer in other words than aiortc's, which is told its own again."""

    def __init__(self, profile: str, sets: Sequence[bytes] = ()) -> None:
        self._profile = profile
        self._sets = ",".join(base64.b64encode(one).decode() for one in sets)
        self._own: dict[str, str] = {}

    def offered(self, text: str) -> str:
        def put(line: re.Match[str]) -> str:
            self._own[line[1]] = line[2]
            told = f"a=fmtp:{line[1]} profile-level-id={self._profile};packetization-mode=1"
            return told + (f";sprop-parameter-sets={self._sets}" if self._sets else "")

        return re.sub(r"a=fmtp:(\d+) ([^\r\n]*profile-level-id[^\r\n]*)", put, text)

    def answered(self, text: str) -> str:
        def put(line: re.Match[str]) -> str:
            return f"a=fmtp:{line[1]} {self._own[line[1]]}"

        return re.sub(r"a=fmtp:(\d+) ([^\r\n]*profile-level-id[^\r\n]*)", put, text)
