"""What a client may say of its network path, within its limits."""

from __future__ import annotations

from typing import Any

import pytest
from aiortc import RTCIceGatherer, RTCIceTransport

from stream_server.ingest.webrtc.ice_session import MAX_RESTARTS, IceSession
from stream_server.ingest.webrtc.sdp import MAX_CANDIDATES, Fragment, OfferError, read_fragment
from stream_server.settings import load

CANDIDATE = "candidate:1 1 udp 2130706431 127.0.0.1 5000 typ host"
NAMED = Fragment("abcd", "0123456789012345678901", (CANDIDATE,))


def session(candidates: int = 0, connected: bool = True) -> IceSession:
    transport = RTCIceTransport(RTCIceGatherer([]))
    settings = load(webrtc_addresses="127.0.0.1", webrtc_connect_seconds=0.1)
    return IceSession(
        "a-stream", transport, settings, candidates=candidates, connected=lambda: connected
    )


async def refused(call: Any) -> OfferError:
    with pytest.raises(OfferError) as caught:
        await call
    return caught.value


async def test_candidates_of_the_offer_and_later_ones_count_together() -> None:
    ice = session(candidates=MAX_CANDIDATES - 1)
    await ice.trickle(Fragment(None, None, (CANDIDATE,)))
    error = await refused(ice.trickle(Fragment(None, None, (CANDIDATE,))))
    assert error.status == 422 and f"the limit is {MAX_CANDIDATES}" in str(error)


async def test_a_candidate_that_cannot_be_read_is_shown() -> None:
    error = await refused(session().trickle(Fragment(None, None, ("candidate:1 x udp y",))))
    assert error.status == 400 and "'candidate:1 x udp y'" in str(error)


async def test_a_restart_needs_credentials_and_a_session_that_was_connected() -> None:
    assert (await refused(session().restart(Fragment(None, None, ())))).status == 400
    assert (await refused(session(connected=False).restart(NAMED))).status == 422


async def test_a_restart_answers_with_its_own_candidates_and_a_new_name() -> None:
    ice = session()
    before = ice.etag
    answer = read_fragment(await ice.restart(NAMED))
    assert ice.etag != before
    assert answer.ufrag and answer.password
    assert all("127.0.0.1" in candidate for candidate in answer.candidates)
    await ice.close()


async def test_restarts_come_to_an_end() -> None:
    ice = session()
    for _ in range(MAX_RESTARTS):
        await ice.restart(NAMED)
    error = await refused(ice.restart(NAMED))
    assert error.status == 422 and f"the limit is {MAX_RESTARTS}" in str(error)
    await ice.close()
