"""Files to scan, made with real encoders around a real face."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from stream_server.vision.types import Image
from tests.support.faces import backdrop, other_person, paste, person

SMALL = (640, 360)


def moving_face(
    size: tuple[int, int] = SMALL,
    share: float = 0.6,
    background: Image | None = None,
    head: Image | None = None,
) -> Callable[[float], Image]:
    """Pictures by time in seconds: a face that sways, ``share`` of the picture's height tall."""
    width, height = size
    ground = backdrop(width, height) if background is None else background
    face = person() if head is None else head

    def at(time: float) -> Image:
        centre = (width * (0.5 + 0.02 * np.sin(2 * time)), height * (0.5 + 0.01 * np.cos(3 * time)))
        return paste(ground, face, centre, share * height)

    return at


def two_faces(size: tuple[int, int] = SMALL) -> Callable[[float], Image]:
    """Two people side by side."""
    width, height = size
    ground = backdrop(width, height)

    def at(time: float) -> Image:
        sway = 0.01 * width * np.sin(2 * time)
        both = paste(ground, person(), (width * 0.27 + sway, height * 0.5), 0.7 * height)
        return paste(both, other_person(), (width * 0.73 - sway, height * 0.5), 0.7 * height)

    return at


def without_faces(size: tuple[int, int] = SMALL) -> Callable[[float], Image]:
    """A landscape that brightens."""
    ground = backdrop(*size)
    return lambda time: np.clip(ground.astype(np.int16) + int(3 * time), 0, 255).astype(np.uint8)


def every(rate: float, seconds: float) -> list[float]:
    """Times at a constant rate."""
    return [i / rate for i in range(round(seconds * rate))]


def write_video(
    path: Path,
    picture: Callable[[float], Image],
    times: Sequence[float],
    *,
    codec: str = "libx264",
    options: dict[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    rate: int = 30,
    container: dict[str, str] | None = None,
) -> Path:
    """Encode ``picture(time)`` for each of ``times``, with those very times."""
    first = picture(times[0])
    chosen = {"preset": "ultrafast", "crf": "20"} if options is None else options
    base = Fraction(1, 30000)
    with av.open(str(path), "w", options=container or {}) as output:
        stream: Any = output.add_stream(codec, rate=rate)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = pix_fmt
        stream.options = chosen
        stream.codec_context.time_base = base
        stream.codec_context.thread_count = 1
        for time in times:
            frame = av.VideoFrame.from_ndarray(picture(time), format="rgb24")
            frame.pts, frame.time_base = round(time * 30000), base
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def write_hdr(path: Path, picture: Callable[[float], Image], times: Sequence[float]) -> Path:
    """A 10-bit HEVC video in BT.2020 with the PQ transfer function, paper white at 203 nits."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx265", rate=10)
        stream.pix_fmt = "yuv420p10le"
        stream.options = {
            "preset": "ultrafast",
            "x265-params": "log-level=none:colorprim=9:transfer=16:colormatrix=9:pools=1",
        }
        stream.height, stream.width = picture(times[0]).shape[:2]
        for time in times:
            frame = av.VideoFrame.from_ndarray(_pq(picture(time)), format="rgb48le")
            output.mux(stream.encode(frame.reformat(format="yuv420p10le", dst_colorspace="bt2020")))
        output.mux(stream.encode())
    return path


def _pq(image: Image) -> np.ndarray:
    """sRGB to BT.2020 with SMPTE ST 2084, uint16."""
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    light = ((image / 255.0) ** 2.4 @ to_2020.T).clip(0, 1) * 203 / 10000
    power = light**0.1593017578125
    signal = ((0.8359375 + 18.8515625 * power) / (1 + 18.6875 * power)) ** 78.84375
    return (signal * 65535).astype(np.uint16)


def turn_metadata(path: Path) -> Path:
    """Mark an mp4 as filmed upright by a phone held sideways: its pictures lie on their side.

    Sets the display matrix in the track header (ISO/IEC 14496-12, 8.3.2) to a quarter turn
    clockwise.
    """
    content = bytearray(path.read_bytes())
    place = content.index(b"tkhd") + 44
    content[place : place + 36] = struct.pack(
        ">9i", 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000
    )
    path.write_bytes(content)
    return path


def repeated(source: Path, target: Path, times: int) -> Path:
    """``source`` ``times`` times over, by copying its packets: hours of video in seconds."""
    with av.open(str(source)) as given:
        stream: Any = given.streams.video[0]
        packets = [p for p in given.demux(stream) if p.size]
        length = int(stream.duration)
        copies = [(p.pts, p.dts, bytes(p), p.is_keyframe, p.time_base) for p in packets]
        with av.open(str(target), "w") as output:
            made = output.add_stream_from_template(stream)
            for number in range(times):
                for pts, dts, data, is_key, time_base in copies:
                    packet = av.Packet(data)
                    packet.pts, packet.dts = pts + number * length, dts + number * length
                    packet.time_base, packet.is_keyframe = time_base, is_key
                    packet.stream = made
                    output.mux_one(packet)
    return target


def only_sound(path: Path) -> Path:
    """A second of a tone."""
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("aac", rate=48000)
        wave = (0.2 * np.sin(np.arange(48000) / 20)).astype(np.float32)[None]
        for start in range(0, 48000 - 1024, 1024):
            part = np.ascontiguousarray(wave[:, start : start + 1024])
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = 48000, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path
