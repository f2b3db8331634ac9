from __future__ import annotations

from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.rtcdtlstransport import SRTP_PROFILES
from OpenSSL import SSL

from stream_server.ingest.webrtc.aiortc_private import CERTIFICATES
from stream_server.ingest.webrtc.dtls import CIPHERS, take_rsa


async def test_a_context_offers_ciphers_for_both_kinds_of_certificate() -> None:
    peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    take_rsa(peer)
    [certificate] = getattr(peer, CERTIFICATES)
    context = certificate._create_ssl_context(srtp_profiles=SRTP_PROFILES)
    offered = SSL.Connection(context).get_cipher_list()
    assert set(CIPHERS.decode().split(":")) <= set(offered)
    assert {name.split("-")[1] for name in offered if name.startswith("ECDHE")} == {"ECDSA", "RSA"}
    await peer.close()
