"""What aiortc 1.16 and aioice 0.13 do not offer by a public name, each with what it is for.

The rest of the package goes through here and reaches into neither. A test holds every name against
the installed releases; each function raises ``AttributeError`` where a part is not there.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

from aioice import Candidate, Connection
from aiortc import RTCIceTransport, RTCPeerConnection, codecs, rtcrtpreceiver
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rtcrtpreceiver import RTCRtpReceiver

CERTIFICATES = "_RTCPeerConnection__certificates"
MONITOR = "_RTCIceTransport__monitor_task"
SET_STATE = "_RTCIceTransport__setState"
JITTER_BUFFER = "_RTCRtpReceiver__jitter_buffer"
DECODER_QUEUE = "_RTCRtpReceiver__decoder_queue"
DECODER_ERROR = "_RTCRtpReceiver__decoder_error"
_get_decoder = codecs.get_decoder


class _Send(Protocol):
    async def __call__(self, data: bytes) -> None: ...


def on_new_context(peer: RTCPeerConnection, change: Callable[[Any], None]) -> None:
    """Call ``change`` with each TLS context that ``peer`` makes: its ciphers are fixed inside."""
    for certificate in getattr(peer, CERTIFICATES):
        make = certificate._create_ssl_context

        def make_changed(srtp_profiles: list[Any], make: Any = make) -> Any:
            context = make(srtp_profiles=srtp_profiles)
            change(context)
            return context

        certificate._create_ssl_context = make_changed


def connection_of(transport: RTCIceTransport) -> Connection:
    """The ICE connection under ``transport``: candidates and addresses are its own affair."""
    return transport._connection


def stand_between(
    transport: RTCIceTransport,
    receive: Callable[[], Coroutine[Any, Any, bytes]],
    send: _Send,
) -> None:
    """Let what is above ``transport`` receive and send through these, before it starts: aiortc
    ties it to one connection for life, an ICE restart brings another."""
    for name in (MONITOR, SET_STATE, "_recv", "_send", "_monitor"):
        getattr(transport, name)
    transport._recv = receive
    transport._send = send


def replace_connection(transport: RTCIceTransport, connection: Connection) -> Connection:
    """Put a connected ``connection`` under ``transport``; the one before, which is left open."""
    before, transport._connection = transport._connection, connection
    # The old monitor would call the transport failed when the old connection closes.
    monitor = getattr(transport, MONITOR)
    if monitor is not None:
        monitor.cancel()
    setattr(transport, MONITOR, asyncio.ensure_future(transport._monitor()))
    getattr(transport, SET_STATE)("completed")
    return before


def is_closing(connection: Connection) -> bool:
    """Whether we have closed ``connection`` ourselves; a lost one raises the same error."""
    return bool(connection._closing)


def offer_only(connection: Connection, chosen: Sequence[str]) -> None:
    """Gather candidates on the addresses ``chosen`` alone.

    aioice offers every address of the machine except 127.0.0.1, and asks nobody.
    """
    gather = connection.get_component_candidates

    async def gather_chosen(component: int, addresses: list[str]) -> list[Candidate]:
        del addresses
        return await gather(component=component, addresses=list(chosen))

    setattr(connection, gather.__name__, gather_chosen)


def key_frame_request(receiver: RTCRtpReceiver) -> threading.Event:
    """The event that makes a receiver ask the sender for a key frame; its decoder sets it."""
    failed: threading.Event = getattr(receiver, DECODER_ERROR)
    return failed


def replace_queues(
    receiver: RTCRtpReceiver, jitter_buffer: JitterBuffer, decoder_queue: queue.Queue[Any]
) -> None:
    """Give a receiver that has not started yet queues of our own, which are bounded."""
    for name, ours in ((JITTER_BUFFER, jitter_buffer), (DECODER_QUEUE, decoder_queue)):
        getattr(receiver, name)
        setattr(receiver, name, ours)


def change_decoders(change: Callable[[Any], None]) -> None:
    """Call ``change`` with the codec context of each video decoder before its first frame."""

    def changed_decoder(codec: Any) -> Any:
        decoder = _get_decoder(codec)
        context = getattr(decoder, "codec", None)
        if context is not None and context.type == "video":
            change(context)
        return decoder

    setattr(rtcrtpreceiver, _get_decoder.__name__, changed_decoder)  # looked up at each start


class PacketBuffer(JitterBuffer):
    """aiortc's jitter buffer, open to those who decide by themselves when a frame is whole."""

    def complete(self) -> JitterFrame | None:
        """The next frame if it is whole; asked after each packet."""
        raise NotImplementedError

    @property
    def origin(self) -> int | None:
        """The sequence number of the oldest place; ``None`` before the first packet."""
        return self._origin

    def packet(self, place: int) -> Any:
        """The packet ``place`` places after the origin, or ``None``."""
        assert self._origin is not None
        return self._packets[(self._origin + place) % self.capacity]

    @staticmethod
    def payload(packet: Any) -> bytes:
        """What a packet carries, without its codec's own header."""
        data: bytes = packet._data
        return data

    def _remove_frame(self, sequence_number: int) -> JitterFrame | None:
        del sequence_number
        return self.complete()
