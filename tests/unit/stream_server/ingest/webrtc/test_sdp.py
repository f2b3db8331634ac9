"""What is let through of an offer, and what an answer asks for."""

from __future__ import annotations

import pytest

from stream_server.ingest.webrtc.sdp import (
    Bitrates,
    Fragment,
    OfferError,
    check_offer,
    munge_answer,
    read_fragment,
)

OFFER = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=group:BUNDLE 0 1",
    "a=ice-ufrag:abcd",
    "a=ice-pwd:0123456789012345678901",
    "a=fingerprint:sha-256 AB",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97",
    "a=sendonly",
    "a=mid:0",
    "a=rtpmap:96 VP8/90000",
    "a=rtpmap:97 rtx/90000",
    "a=candidate:1 1 udp 2130706431 10.0.0.1 5000 typ host",
    "a=candidate:2 1 udp 2130706431 abc.local 5000 typ host",
    "a=candidate:3 1 tcp 2130706431 10.0.0.1 9 typ host tcptype active",
    "a=end-of-candidates",
    "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
    "a=mid:1",
]


def test_an_offer_loses_what_slows_it_down() -> None:
    cleaned = check_offer("\n".join(OFFER)).split("\r\n")
    assert [line for line in OFFER if line not in cleaned] == OFFER[14:17]


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("m=video", "m=audio", 422, "no video track"),
        ("m=video 9", "m=video 0", 422, "no video track"),
        ("a=sendonly", "a=inactive", 422, "inactive"),
        ("VP8/90000", "AV1/90000", 422, "AV1"),
        ("a=group:BUNDLE 0 1", "a=x:y", 422, "BUNDLE"),
        ("m=application", "m=text", 422, "text"),
        ("a=ice-ufrag:", "a=x:", 400, "ice-ufrag"),
        ("a=fingerprint:", "a=x:", 400, "fingerprint"),
        ("typ host tcptype active", "", 201, ""),
    ],
)
def test_offers_that_ask_for_what_there_is_not(old: str, new: str, status: int, says: str) -> None:
    text = "\r\n".join(OFFER).replace(old, new)
    if status == 201:
        text = text.replace("10.0.0.1 9 ", "10.0.0.1 9 typ host")
        check_offer(text)
        return
    with pytest.raises(OfferError, match=says) as refused:
        check_offer(text)
    assert refused.value.status == status


def test_bitrates_go_on_video_codecs_alone() -> None:
    answer = "\r\n".join(
        [
            "m=audio 9 X 0",
            "a=rtpmap:0 PCMU/8000",
            "m=video 9 X 96 97 98",
            "a=rtpmap:96 VP8/90000",
            "a=rtpmap:97 rtx/90000",
            "a=fmtp:97 apt=96",
            "a=rtpmap:98 H264/90000",
            "a=fmtp:98 packetization-mode=1",
        ]
    )
    wanted = "x-google-start-bitrate=2;x-google-min-bitrate=1;x-google-max-bitrate=3"
    changed = munge_answer(answer, Bitrates(2, 1, 3)).split("\r\n")
    assert f"a=fmtp:96 {wanted}" in changed
    assert f"a=fmtp:98 packetization-mode=1;{wanted}" in changed
    assert "a=fmtp:97 apt=96" in changed
    assert sum("x-google" in line for line in changed) == 2


def test_a_fragment() -> None:
    fragment = read_fragment("a=ice-ufrag:u\r\na=ice-pwd:p\r\na=mid:0\r\n" + OFFER[13] + "\r\n")
    assert (fragment.ufrag, fragment.password) == ("u", "p")
    assert fragment.candidates == (OFFER[13].removeprefix("a="),)


def test_a_fragment_says_what_was_read_from_it() -> None:
    candidate = "candidate:1 1 udp 2130706431 10.0.0.1 5000 typ host"
    fragment = Fragment("u", "p", (candidate,))
    assert read_fragment(fragment.text()) == fragment
