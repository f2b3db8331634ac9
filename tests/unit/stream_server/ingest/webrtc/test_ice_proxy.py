"""The proxy between ICE and DTLS, over real sockets on loopback."""

from __future__ import annotations

import asyncio

import pytest
from aioice import Connection
from aiortc import RTCIceCandidate, RTCIceGatherer, RTCIceParameters, RTCIceTransport
from aiortc.rtcicetransport import candidate_from_aioice

from stream_server.ingest.webrtc.ice import fragment_of
from stream_server.ingest.webrtc.ice_proxy import IceProxy
from tests.support.whip import only_loopback


async def far_end() -> Connection:
    connection = Connection(ice_controlling=True)
    only_loopback(connection)
    await connection.gather_candidates()
    return connection


async def introduce(one: Connection, other: Connection) -> None:
    one.remote_username, one.remote_password = other.local_username, other.local_password
    for candidate in other.local_candidates:
        await one.add_remote_candidate(candidate)


async def connected(patience: float) -> tuple[RTCIceTransport, IceProxy, Connection]:
    gatherer = RTCIceGatherer([])
    only_loopback(gatherer._connection)
    transport = RTCIceTransport(gatherer)
    proxy = IceProxy(transport, patience)
    await gatherer.gather()
    far = await far_end()
    await introduce(far, gatherer._connection)
    for candidate in far.local_candidates:
        found: RTCIceCandidate = candidate_from_aioice(candidate)
        await transport.addRemoteCandidate(found)
    names = RTCIceParameters(usernameFragment=far.local_username, password=far.local_password)
    await asyncio.gather(transport.start(names), far.connect())
    assert transport.state == "completed"
    return transport, proxy, far


async def talk(transport: RTCIceTransport, far: Connection) -> None:
    await far.send(b"there")
    assert await transport._recv() == b"there"
    await transport._send(b"back")
    assert await far.recv() == b"back"


@pytest.mark.parametrize("lost", [False, True])
async def test_another_connection_takes_over(lost: bool) -> None:
    """While the first still works, and after it was lost."""
    transport, proxy, far = await connected(patience=20)
    await talk(transport, far)
    waiting = asyncio.ensure_future(transport._recv())
    await asyncio.sleep(0)
    if lost:
        await transport._connection.close()  # as aioice does when the peer answers no more
        await asyncio.sleep(0.05)
        assert transport.state == "failed"
        await transport._send(b"into the void")
    assert not waiting.done()
    attempt, again = Connection(ice_controlling=False), await far_end()
    only_loopback(attempt)
    await attempt.gather_candidates()
    assert f"a=ice-ufrag:{attempt.local_username}\r\n" in fragment_of(attempt).text()
    await introduce(again, attempt)
    await introduce(attempt, again)
    await proxy.begin(attempt)
    assert proxy.connection is attempt
    await asyncio.gather(proxy.change(10), again.connect())
    assert transport.state == "completed"
    await again.send(b"from elsewhere")
    assert await waiting == b"from elsewhere"
    await talk(transport, again)
    await transport.stop()
    await proxy.close()
    for one in (far, again):
        await one.close()


async def test_a_restart_that_does_not_connect_leaves_the_first_in_use() -> None:
    transport, proxy, far = await connected(patience=20)
    attempt = Connection(ice_controlling=False)
    only_loopback(attempt)
    await attempt.gather_candidates()
    attempt.remote_username, attempt.remote_password = "abcd", "0123456789012345678901"
    await proxy.begin(attempt)
    with pytest.raises(ConnectionError, match=r"0\.2 s"):
        await proxy.change(0.2)
    await talk(transport, far)
    await transport.stop()
    await proxy.close()
    await far.close()


async def test_a_lost_connection_that_never_comes_back_ends_the_session() -> None:
    transport, proxy, far = await connected(patience=0.1)
    await talk(transport, far)
    waiting = asyncio.ensure_future(transport._recv())
    await asyncio.sleep(0)
    await transport._connection.close()
    with pytest.raises(ConnectionError):
        await waiting
    await transport.stop()
    await proxy.close()
    await far.close()


async def test_a_stopped_transport_ends_at_once() -> None:
    transport, proxy, far = await connected(patience=3600)
    waiting = asyncio.ensure_future(transport._recv())
    await asyncio.sleep(0)
    await transport.stop()
    with pytest.raises(ConnectionError):
        await asyncio.wait_for(waiting, 10)
    await proxy.close()
    await far.close()
