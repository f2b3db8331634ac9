"""Secrets and signatures of the Standard Webhooks specification, version 1.0.0.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_LEAST, _MOST = 24, 64  # bytes, by the specification


def new_secret() -> str:
    """A secret of 32 random bytes, as the specification writes it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes that ``secret`` stands for, with or without ``whsec_`` as receivers take it.

    Raises ``ValueError``, which shows nothing of it, unless it is 24 to 64 bytes in base64.
    """
    encoded = secret.removeprefix(PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"a secret is {PREFIX} and base64") from None
    if not _LEAST <= len(key) <= _MOST:
        raise ValueError(f"a secret has {_LEAST} to {_MOST} bytes, not {len(key)}")
    return key


def headers(message: str, timestamp: int, body: bytes, keys: Iterable[bytes]) -> dict[str, str]:
    """The three headers of a delivery, signed with each of ``keys``.

    ``message`` is the id that a receiver knows a repeated delivery by, ``timestamp`` the Unix
    second of this attempt.
    """
    signed = f"{message}.{timestamp}.".encode() + body
    digests = (hmac.new(key, signed, hashlib.sha256).digest() for key in keys)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in digests),
    }
