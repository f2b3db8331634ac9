from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

import av
import pytest

from stream_server.ingest.urls.decoding import DecodeChoice
from tests.support.live_media import RATE, live_bytes


def decoded(data: bytes, choice: DecodeChoice, behind: Any = lambda time: False) -> list[float]:
    """The times of what is decoded, from zero."""
    times: list[float] = []
    with av.open(io.BytesIO(data)) as container:
        video: Any = container.streams.video[0]
        origin = float(video.start_time * video.time_base)
        for packet in container.demux(video):
            time = None if packet.pts is None else float(packet.pts * packet.time_base) - origin
            choice.before(packet, time, time is not None and behind(time), video.codec_context)
            for frame in packet.decode():
                at = float(frame.time) - origin
                if times:
                    choice.decoded(times[-1], at)
                times.append(at)
    return times


@pytest.fixture(scope="module")
def with_expendable() -> bytes:
    return live_bytes("mpegts", 4, bframes=3)


def test_frames_that_no_other_needs_are_left_out_where_there_are_many(
    with_expendable: bytes,
) -> None:
    assert len(decoded(with_expendable, DecodeChoice(25, RATE))) == 4 * RATE
    few = decoded(with_expendable, DecodeChoice(5, RATE))
    assert len(few) < 0.75 * 4 * RATE
    assert max(b - a for a, b in pairwise(few)) <= 1 / 5


def test_all_are_decoded_where_too_many_would_be_missing() -> None:
    """An encoder whose every other second is expendable."""
    choice = DecodeChoice(5, RATE)
    context: Any = type("Context", (), {"skip_frame": None})()
    packet: Any = type("Packet", (), {"is_keyframe": False})()
    choice.before(packet, 0.0, False, context)
    assert context.skip_frame == "NONREF"
    choice.decoded(0.0, 0.3)
    choice.before(packet, 0.3, False, context)
    assert context.skip_frame == "DEFAULT"


def test_what_was_left_out_while_behind_is_not_held_against_an_encoder() -> None:
    """Else every frame would be decoded from then on."""
    data = live_bytes("mpegts", 6, bframes=3, key_every=RATE)
    times = decoded(data, DecodeChoice(5, RATE), lambda time: 0.5 < time < 1.5)
    assert [time for time in times if 1.1 < time < 1.9] == []
    assert len([time for time in times if time >= 3]) < 0.75 * 3 * RATE


def test_key_frames_alone_are_decoded_where_they_come_as_often_as_samples() -> None:
    data = live_bytes("mpegts", 8, key_every=5)
    times = decoded(data, DecodeChoice(5, RATE))
    late = [time for time in times if time > 1.5]
    assert late == pytest.approx([1.6 + i / 5 for i in range(len(late))]) and len(late) >= 30
    assert len(decoded(data, DecodeChoice(25, RATE))) == 8 * RATE


def test_behind_only_key_frames_are_decoded_until_the_next_one() -> None:
    data = live_bytes("mpegts", 6, key_every=RATE)
    times = decoded(data, DecodeChoice(25, RATE), lambda time: 1.5 < time < 3.5)
    between = [time for time in times if 1.6 < time < 3.99]
    assert between == pytest.approx([2.0, 3.0])
    assert len([time for time in times if 3.99 < time < 5.0]) >= RATE - 1
