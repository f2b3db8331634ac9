from __future__ import annotations

from typing import Any

import pytest

from stream_server import protocol
from stream_server.protocol import ProtocolError
from stream_server.rect import MAX_PARTS

HEADER = {"frame_id": 7, "media_time": 1.2, "width": 320, "height": 400}
PARTS = [{"of": [800, 200, 320, 320], "at": [0, 0, 320, 320]}]
RECT: dict[str, Any] = {"video": [1920, 1080], "parts": PARTS}


def parsed(rect: Any) -> Any:
    return protocol.parse_frame(protocol.pack_frame(HEADER | {"rect": rect}, b"p")).header.rect


def test_a_frame_without_it_is_as_before() -> None:
    assert protocol.parse_frame(protocol.pack_frame(HEADER, b"p")).header.rect is None


def test_parts_of_the_video_and_where_they_are_in_the_picture() -> None:
    second = {"of": [0, 0, 160, 160], "at": [0, 320, 80, 80]}
    rect = parsed({"video": [1920, 1080], "parts": [*PARTS, second]})
    assert rect.video == (1920, 1080)
    assert [(part.of, part.at) for part in rect.parts] == [
        ((800, 200, 320, 320), (0, 0, 320, 320)),
        ((0, 0, 160, 160), (0, 320, 80, 80)),
    ]


def test_a_single_part_is_the_whole_picture() -> None:
    assert parsed({"video": [640, 800], "parts": [{"of": [0, 0, 640, 800]}]}).parts[0].at is None


@pytest.mark.parametrize(
    ("rect", "says"),
    [
        ("all", "rect is 'all': an object is needed"),
        ([800, 200, 320, 320], "rect is [800, 200, 320, 320]: an object is needed"),
        ({"video": [1920, 1080]}, "rect.parts is missing"),
        (RECT | {"video": [1920]}, "rect.video.1 is missing"),
        (RECT | {"video": [1920, 0]}, "rect.video.1 is 0"),
        (RECT | {"video": [70000, 1080]}, "less than or equal to 65535"),
        (RECT | {"video": [1920.5, 1080]}, "rect.video.0 is 1920.5"),
        (RECT | {"video": [True, 1080]}, "rect.video.0 is True"),
        (RECT | {"parts": []}, "at least 1 item"),
        (RECT | {"parts": PARTS * (MAX_PARTS + 1)}, f"at most {MAX_PARTS} items"),
        (RECT | {"zoom": 2}, "unknown field 'rect.zoom'"),
        (RECT | {"parts": [{"at": [0, 0, 9, 9]}]}, "rect.parts.0.of is missing"),
        (RECT | {"parts": [{"of": [-1, 0, 9, 9]}]}, "rect.parts.0.of.0 is -1"),
        (
            RECT | {"parts": [{"of": [1800, 0, 320, 320], "at": [0, 0, 320, 320]}]},
            "rect.parts.0.of is [1800, 0, 320, 320], not within the video of 1920x1080",
        ),
        (
            RECT | {"parts": [{"of": [0, 0, 320, 320], "at": [10, 0, 320, 320]}]},
            "rect.parts.0.at is [10, 0, 320, 320], not within the picture of 320x400",
        ),
        (
            RECT | {"parts": [*PARTS, {"of": [0, 0, 320, 320]}]},
            "rect.parts.1.at is missing; only the one part of a picture may leave it out",
        ),
        (
            RECT | {"parts": [{"of": [0, 0, 320, 320]}]},
            "rect.parts.0 shows 320x320 as 320x400; a part keeps its shape within 5 %",
        ),
        (
            RECT | {"parts": PARTS * 2},
            "rect.parts lie over each other: 204800 pixels in a picture of 320x400",
        ),
    ],
)
def test_what_cannot_be_so_is_refused_by_value_and_limit(rect: Any, says: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        parsed(rect)
    assert caught.value.code == "bad_frame" and caught.value.frame_id == 7
    assert says in str(caught.value)


def test_sides_that_were_rounded_keep_their_shape() -> None:
    assert parsed(RECT | {"parts": [{"of": [0, 0, 33, 31], "at": [0, 0, 11, 10]}]})
