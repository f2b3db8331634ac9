"""Offers of H.264 as senders make them, and what the stack and the client get to read."""

from __future__ import annotations

import base64

import pytest

from stream_server.ingest.webrtc import h264
from stream_server.ingest.webrtc.sdp import OfferError

SETS = b"\x67\x64\x00\x1f\xac", b"\x68\xee\x3c\x80"
SPROP = ",".join(base64.b64encode(one).decode() for one in SETS)
STREAM = b"".join(b"\x00\x00\x00\x01" + one for one in SETS)


def offer(*fmtp: str, codecs: tuple[str, ...] = ("H264",)) -> str:
    lines = ["v=0", "m=video 9 UDP/TLS/RTP/SAVPF 96 97", "a=mid:0"]
    lines += [f"a=rtpmap:{96 + n} {name}/90000" for n, name in enumerate(codecs)]
    lines += [f"a=fmtp:{96 + n} {one}" for n, one in enumerate(fmtp) if one]
    return "\r\n".join([*lines, "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", ""])


HIGH = "packetization-mode=1;profile-level-id=640c1f;level-asymmetry-allowed=1"


def fmtp(text: str) -> list[str]:
    return [line for line in text.split("\r\n") if line.startswith("a=fmtp:")]


@pytest.mark.parametrize("given", [HIGH, "profile-level-id=4d001f", "packetization-mode=0", ""])
def test_what_the_stack_does_not_know_is_put_so_that_it_does(given: str) -> None:
    taken = h264.taken(offer(given))
    assert fmtp(taken.text) == ["a=fmtp:96 packetization-mode=1;profile-level-id=42e01f"]
    place = taken.text.index("a=fmtp")
    assert taken.text.index("m=video") < place < taken.text.index("m=application")


def test_the_answer_speaks_of_what_was_offered() -> None:
    taken = h264.taken(offer(HIGH))
    answer = "v=0\r\na=fmtp:96 packetization-mode=1;profile-level-id=42e01f\r\na=fmtp:98 apt=96\r\n"
    (own, other) = fmtp(h264.answered(answer, taken.changed))
    assert own == (
        "a=fmtp:96 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=640c1f"
    )
    assert other == "a=fmtp:98 apt=96"


@pytest.mark.parametrize(
    ("lines", "codecs"),
    [
        (("packetization-mode=1;profile-level-id=42e01f",), ("H264",)),
        ((HIGH, "packetization-mode=1;profile-level-id=42001f"), ("H264", "H264")),
        ((HIGH, ""), ("H264", "VP8")),
    ],
)
def test_where_the_stack_knows_something_the_offer_stays(
    lines: tuple[str, ...], codecs: tuple[str, ...]
) -> None:
    text = offer(*lines, codecs=codecs)
    assert h264.taken(text).text == text and h264.taken(text).changed == {}


def test_parameter_sets_come_out_of_the_offer() -> None:
    taken = h264.taken(offer(f"{HIGH};sprop-parameter-sets={SPROP}"))
    assert taken.sets == {96: STREAM}


@pytest.mark.parametrize("broken", ["%%%", "Z", ""])
def test_broken_parameter_sets_are_none(broken: str) -> None:
    assert h264.taken(offer(f"{HIGH};sprop-parameter-sets={broken}")).sets == {}


def test_only_a_key_picture_without_its_own_gets_them() -> None:
    key, other = b"\x00\x00\x00\x01\x65\x88", b"\x00\x00\x00\x01\x41\x9a"
    assert h264.with_parameter_sets(key, STREAM) == STREAM + key
    assert h264.with_parameter_sets(other, STREAM) == other
    assert h264.with_parameter_sets(STREAM + key, STREAM) == STREAM + key


@pytest.mark.parametrize("profile", ["zzzzzz", "42", "64001f00"])
def test_a_profile_that_is_none_is_refused_by_name(profile: str) -> None:
    with pytest.raises(OfferError, match=profile) as caught:
        h264.taken(offer(f"profile-level-id={profile}"))
    assert caught.value.status == 422
