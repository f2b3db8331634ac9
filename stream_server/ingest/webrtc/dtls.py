"""Ciphers for sources whose certificate is an RSA one.

aiortc takes ECDSA alone, as browsers have it; GStreamer's webrtcbin, and encoders built on it, come
with RSA and fail with "no shared cipher".
"""

from __future__ import annotations

from aiortc import RTCPeerConnection

from stream_server.ingest.webrtc.aiortc_private import on_new_context

CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    b":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
    b":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


def take_rsa(peer: RTCPeerConnection) -> None:
    """Let ``peer`` talk to both kinds of certificate; to be called before it connects."""
    on_new_context(peer, lambda context: context.set_cipher_list(CIPHERS))
