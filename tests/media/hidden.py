"""Files that show one thing first and hold another where a reader may miss it.

Each maker takes a path, what is seen first and what is hidden, and writes the file.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.stream import Disposition
from PIL import Image as Pillow

from tests.media.made import RATE, Scene, joined, video, with_matrix
from tests.support.scan_media import every, write_video

LONG = 3.0  # seconds of each of the two
Maker = Callable[[Path, Scene, Scene], Path]
QUICK = {"preset": "ultrafast", "crf": "20", "g": "12"}


def then(first: Scene, second: Scene, change: float = LONG) -> Scene:
    return lambda time: (first if time < change - 1e-6 else second)(time)


def both(path: Path, first: Scene, second: Scene, **options: Any) -> Path:
    """One after the other in an ordinary file."""
    return write_video(path, then(first, second), every(RATE, 2 * LONG), rate=RATE, **options)


def tracks(path: Path, shown: Sequence[tuple[Scene, Sequence[float]]]) -> Path:
    """Several streams side by side, each with times of its own."""
    with av.open(str(path), "w") as output:
        made: list[Any] = []
        for picture, _ in shown:
            stream: Any = output.add_stream("libx264", rate=RATE)
            stream.height, stream.width = picture(0.0).shape[:2]
            stream.pix_fmt, stream.options = "yuv420p", QUICK
            stream.codec_context.time_base = Fraction(1, 1000)
            made.append(stream)
        moments = sorted((time, n) for n, (_, times) in enumerate(shown) for time in times)
        for time, number in moments:
            frame = av.VideoFrame.from_ndarray(shown[number][0](time), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            output.mux(made[number].encode(frame))
        for stream in made:
            output.mux(stream.encode())
    return path


def gap_and_second_stream(path: Path, first: Scene, second: Scene) -> Path:
    gapped = [*every(RATE, LONG), *(500 + time for time in every(RATE, LONG))]
    return tracks(path / "a.mkv", [(first, gapped), (then(first, second, 100), gapped)])


def cut_off_and_joined(path: Path, first: Scene, second: Scene) -> Path:
    pieces = [video(path / "a.mkv", first, 2 * LONG), video(path / "b.mkv", second, LONG)]
    pieces[0].write_bytes(pieces[0].read_bytes()[: pieces[0].stat().st_size * 2 // 3])
    return joined(path / "joined", *pieces)


def joined_and_cut_off(path: Path, first: Scene, second: Scene) -> Path:
    pieces = [video(path / "a.mp4", first, LONG), video(path / "b.mp4", second, LONG)]
    pieces[1].write_bytes(pieces[1].read_bytes()[: pieces[1].stat().st_size * 2 // 3])
    return joined(path / "joined", *pieces)


def under_long_sound(path: Path, first: Scene, second: Scene) -> Path:
    """The sound goes on while the picture stands for a minute, and then again."""
    path = path / "a.mkv"
    times = [*every(RATE, LONG), *(60 + time for time in every(RATE, LONG))]
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.height, stream.width = first(0.0).shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", QUICK
        stream.codec_context.time_base = Fraction(1, 1000)
        track: Any = output.add_stream("pcm_s16le", rate=8000, layout="mono")
        for second_of_sound in range(120):
            piece = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.int16), "s16", "mono")
            piece.sample_rate, piece.pts = 8000, second_of_sound * 8000
            output.mux(track.encode(piece))
        for time in times:
            frame = av.VideoFrame.from_ndarray(then(first, second, 30)(time), format="rgb24")
            frame.pts, frame.time_base = round(time * 1000), Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def cover(path: Path, first: Scene, second: Scene) -> Path:
    path = path / "a.mp4"
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.height, stream.width = first(0.0).shape[:2]
        stream.pix_fmt, stream.options = "yuv420p", QUICK
        sleeve: Any = output.add_stream("mjpeg", rate=1)
        sleeve.width, sleeve.height, sleeve.pix_fmt = 640, 480, "yuvj420p"
        sleeve.disposition = Disposition.attached_pic
        large = np.asarray(Pillow.fromarray(second(0.0)).resize((640, 480)))
        frame = av.VideoFrame.from_ndarray(large, format="rgb24")
        frame.pts, frame.time_base = 0, Fraction(1)
        output.mux(sleeve.encode(frame))
        output.mux(sleeve.encode())
        for number, time in enumerate(every(RATE, LONG)):
            frame = av.VideoFrame.from_ndarray(first(time), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def interlaced(path: Path, first: Scene, second: Scene) -> Path:
    return both(path / "a.ts", first, second, options=QUICK | {"x264-params": "tff=1"})


def ten_bits(path: Path, first: Scene, second: Scene) -> Path:
    options = {"preset": "ultrafast", "x265-params": "log-level=none:pools=1:keyint=12"}
    return both(
        path / "a.mkv", first, second, codec="libx265", options=options, pix_fmt="yuv420p10le"
    )


def turned_and_squeezed(path: Path, first: Scene, second: Scene) -> Path:
    """Upright on a phone, with pixels that are not square."""
    path = path / "a.mp4"
    upright = then(first, second)
    with av.open(str(path), "w") as output:
        stream: Any = output.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = 120, 320, "yuv420p"
        stream.options = QUICK
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for number, time in enumerate(every(RATE, 2 * LONG)):
            lying = Pillow.fromarray(np.rot90(upright(time))).resize((120, 320))
            frame = av.VideoFrame.from_ndarray(np.asarray(lying), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return with_matrix(path, 0, 1, -1, 0)


def uneven(path: Path, first: Scene, second: Scene) -> Path:
    steps = np.random.default_rng(4).choice([0.02, 0.04, 0.1, 0.3], 2 * RATE * 3)
    times = [0.0, *np.cumsum(steps).tolist()]
    change = times[len(times) // 2]
    return write_video(path / "a.mkv", then(first, second, change), times, rate=RATE)


def with_many_references(path: Path, first: Scene, second: Scene) -> Path:
    """Decoding times begin below zero."""
    options = QUICK | {"bf": "3", "refs": "3"}
    return both(
        path / "a.mp4", first, second, options=options,
        container={"movflags": "negative_cts_offsets"},
    )  # fmt: skip


def trimmed_by_edit_list(path: Path, first: Scene, second: Scene) -> Path:
    """Players show the second half alone (ISO/IEC 14496-12, 8.6.6)."""
    path = both(path / "a.mp4", first, second, options=QUICK | {"bf": "2"})
    content = bytearray(path.read_bytes())
    place = content.index(b"elst")
    (scale,) = struct.unpack(">I", content[(at := content.index(b"mdhd") + 16) : at + 4])
    length, begin = struct.unpack(">Ii", content[place + 12 : place + 20])
    content[place + 12 : place + 20] = struct.pack(">Ii", length // 2, begin + round(LONG * scale))
    path.write_bytes(content)
    return path


def fragments_with_a_false_index(path: Path, first: Scene, second: Scene) -> Path:
    path = both(
        path / "a.mp4", first, second, options=QUICK,
        container={"movflags": "frag_keyframe+empty_moov+default_base_moof+global_sidx"},
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    place = content.index(b"sidx")
    (count,) = struct.unpack(">H", content[place + 30 : place + 32])
    for number in range(count):
        at = place + 32 + 12 * number
        content[at : at + 8] = struct.pack(">II", 100, 1)
    path.write_bytes(content)
    return path


def clock_that_stumbles(path: Path, first: Scene, second: Scene) -> Path:
    """Every second goes back by a tenth, as segments that overlap."""
    path = path / "a.mkv"
    made = both(path.with_name("b.mkv"), first, second, options=QUICK | {"bf": "0"})
    return _copied(made, path, lambda number: number * 1000 // RATE - 100 * (number // RATE))


def clock_that_runs_over(path: Path, first: Scene, second: Scene) -> Path:
    """A transport stream has 33 bits for its clock: it starts again every 26 hours."""
    return both(
        path / "a.ts", first, second, options=QUICK, container={"output_ts_offset": "95441"}
    )


def fragments_whose_clock_starts_again(path: Path, first: Scene, second: Scene) -> Path:
    """Segments as a downloader puts them one after the other over a break, under one header."""
    flags = {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    pieces = [
        video(path / f"{name}.mp4", picture, LONG, options=QUICK, container=flags).read_bytes()
        for name, picture in (("a", first), ("b", second))
    ]
    behind = pieces[1].index(b"moof") - 4
    path = path / "joined"
    path.write_bytes(pieces[0][: pieces[0].rindex(b"mfra") - 4] + pieces[1][behind:])
    return path


def other_size_and_rate_in_between(path: Path, first: Scene, second: Scene) -> Path:
    """An advertisement in a stream."""
    large = lambda time: np.asarray(Pillow.fromarray(second(time)).resize((640, 480)))  # noqa: E731
    show = video(path / "a.ts", first, LONG)
    between = write_video(path / "b.ts", large, every(25, LONG), rate=25)
    return joined(path / "joined", show, between, show)


def begins_within_a_group(path: Path, first: Scene, second: Scene) -> Path:
    """The key frame of what comes first is cut off, as where a recorder starts late."""
    path = both(path / "a.ts", second, first, options=QUICK | {"g": "36"})
    path.write_bytes(path.read_bytes()[188 * 80 :])
    return path


def encrypted(first_half: bool) -> Maker:
    """Protected video with some of it in the clear, as streaming services begin."""

    def make(path: Path, first: Scene, second: Scene) -> Path:
        made = both(path / "b.mp4", first, second, options=QUICK | {"bf": "0"})
        half = round(LONG * RATE)

        def spoilt(number: int, data: bytes) -> bytes:
            clear = (number >= half) == first_half
            return data if clear else data[:5] + bytes(0xA5 | byte for byte in data[5:])

        return _copied(made, path / "a.mp4", lambda n: n * 1000 // RATE, spoilt)

    return make


def other_parameters_in_the_middle(path: Path, first: Scene, second: Scene) -> Path:
    """Copied from a stream that changed its size, without the parameter sets of the new one."""
    small = lambda time: np.ascontiguousarray(second(time)[:208, :272])  # noqa: E731
    pieces = [
        video(path / "b.mp4", first, LONG, options=QUICK),
        video(path / "c.mp4", small, LONG, options=QUICK | {"profile": "main", "bf": "0"}),
    ]
    packets = []
    for piece in pieces:
        with av.open(str(piece)) as given:
            packets += [bytes(packet) for packet in given.demux() if packet.size]
    return _copied(pieces[0], path / "a.mp4", lambda n: n * 1000 // RATE, packets=packets)


def _copied(
    source: Path,
    target: Path,
    clock: Callable[[int], int],
    change: Callable[[int, bytes], bytes] = lambda number, data: data,
    packets: Sequence[bytes] = (),
) -> Path:
    """The packets of ``source``, or others in their place, at times in milliseconds."""
    with av.open(str(source)) as given, av.open(str(target), "w") as output:
        stream: Any = output.add_stream_from_template(given.streams.video[0])
        data = packets or [bytes(packet) for packet in given.demux() if packet.size]
        for number, one in enumerate(data):
            packet = av.Packet(change(number, one))
            packet.pts = clock(number)
            packet.dts = min(packet.pts, number * 70)
            packet.time_base, packet.stream = Fraction(1, 1000), stream
            packet.is_keyframe = number % 12 == 0
            output.mux_one(packet)
    return target
