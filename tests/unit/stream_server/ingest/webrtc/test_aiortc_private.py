"""The installed aiortc and aioice still have the parts that have no public name."""

from __future__ import annotations

import asyncio
import inspect
import queue
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from aioice import Connection
from aiortc import RTCConfiguration, RTCIceGatherer, RTCIceTransport, RTCPeerConnection
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtcrtpreceiver import RTCRtpReceiver
from aiortc.rtp import RtpPacket

from stream_server.ingest.webrtc import aiortc_private as private


@pytest.fixture
def transport() -> Any:
    return RTCIceTransport(RTCIceGatherer([]))


async def test_a_peer_s_certificates_make_contexts_that_are_changed() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    changed: list[Any] = []
    private.on_new_context(peer, changed.append)
    [certificate] = getattr(peer, private.CERTIFICATES)
    context = certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES)
    assert changed == [context]
    await peer.close()


async def test_a_transport_hands_on_through_what_stands_between(transport: Any) -> None:
    assert isinstance(private.connection_of(transport), Connection)
    sent = []

    async def receive() -> bytes:
        return b"there"

    async def send(data: bytes) -> None:
        sent.append(data)

    private.stand_between(transport, receive, send)
    assert await transport._recv() == b"there"
    await transport._send(b"back")
    assert sent == [b"back"]


async def test_a_transport_without_those_parts_is_refused() -> None:
    async def nothing(*data: bytes) -> bytes:
        return b"".join(data)

    with pytest.raises(AttributeError):
        private.stand_between(SimpleNamespace(_recv=None, _send=None), nothing, nothing)


async def test_another_connection_under_a_transport(transport: Any) -> None:
    states = []
    transport.on("statechange", lambda: states.append(transport.state))
    before, after = private.connection_of(transport), Connection(ice_controlling=False)
    assert private.replace_connection(transport, after) is before
    assert private.connection_of(transport) is after
    assert states == ["completed"]
    monitor = getattr(transport, private.MONITOR)
    assert isinstance(monitor, asyncio.Future)
    monitor.cancel()


async def test_a_connection_knows_that_it_was_closed() -> None:
    connection = Connection(ice_controlling=False)
    assert not private.is_closing(connection)
    await connection.close()
    assert private.is_closing(connection)


async def test_candidates_on_chosen_addresses_alone() -> None:
    connection = Connection(ice_controlling=False)
    private.offer_only(connection, ["127.0.0.1"])
    await connection.gather_candidates()
    assert {one.host for one in connection.local_candidates} == {"127.0.0.1"}
    await connection.close()


async def test_a_receiver_s_queues() -> None:
    receiver = RTCRtpReceiver("video", SimpleNamespace(state="new"))
    buffer = JitterBuffer(capacity=16, is_video=True)
    waiting: queue.Queue[Any] = queue.Queue()
    assert isinstance(private.key_frame_request(receiver), threading.Event)
    private.replace_queues(receiver, buffer, waiting)
    assert getattr(receiver, private.JITTER_BUFFER) is buffer
    assert getattr(receiver, private.DECODER_QUEUE) is waiting
    with pytest.raises(AttributeError):
        private.replace_queues(SimpleNamespace(), buffer, waiting)


def test_the_receiver_looks_its_decoders_up_where_they_are_changed() -> None:
    from aiortc import rtcrtpreceiver

    assert "get_decoder(codec)" in inspect.getsource(rtcrtpreceiver.decoder_worker)
    decoder: Any = vars(rtcrtpreceiver)["get_decoder"](SimpleNamespace(mimeType="video/VP8"))
    assert decoder.codec.thread_count == 1


def test_a_packet_buffer_shows_what_waits_in_it() -> None:
    class Whole(private.PacketBuffer):
        def complete(self) -> Any:
            assert self.origin == 7
            return self.payload(self.packet(0))

    packet: Any = RtpPacket(sequence_number=7, timestamp=1)
    packet._data = b"payload"
    buffer = Whole(capacity=16, is_video=True)
    assert buffer.origin is None
    assert buffer.add(packet) == (False, b"payload")
    assert buffer.packet(1) is None
    with pytest.raises(NotImplementedError):
        private.PacketBuffer(capacity=16).complete()


def test_packets_get_their_payload_where_it_is_read() -> None:
    from aiortc import rtcrtpreceiver

    assert "packet._data = " in inspect.getsource(rtcrtpreceiver.RTCRtpReceiver._handle_rtp_packet)
