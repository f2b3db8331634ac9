"""Ciphers for sources whose certificate is an RSA one.

aiortc takes ECDSA alone, as browsers have it; GStreamer's webrtcbin, and encoders built on it, come
with RSA and fail with "no shared cipher".
"""

from __future__ import annotations

from typing import Any

from aiortc import RTCPeerConnection

_CERTIFICATES = "_RTCPeerConnection__certificates"
CIPHERS = (
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
    b":ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
    b":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
)


def take_rsa(peer: RTCPeerConnection) -> None:
    """Let ``peer`` talk to both kinds of certificate; to be called before it connects.

    Raises ``AttributeError`` where this release of aiortc has no such parts.
    """
    for certificate in getattr(peer, _CERTIFICATES):
        make = certificate._create_ssl_context

        def make_wider(srtp_profiles: list[Any], make: Any = make) -> Any:
            context = make(srtp_profiles=srtp_profiles)
            context.set_cipher_list(CIPHERS)
            return context

        certificate._create_ssl_context = make_wider
