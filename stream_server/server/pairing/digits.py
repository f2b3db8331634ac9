"""Six digits, and where they are shown."""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
import sys

from stream_server import logs

_log = logging.getLogger(__name__)


def new_digits() -> str:
    """Six of them, which nobody can foresee."""
    return f"{secrets.randbelow(10**6):06d}"


def hashed(secret: str) -> str:
    """What stands for a long secret in the database."""
    return hashlib.sha256(_bytes(secret)).hexdigest()


def hashed_with(number: str, digits: str) -> str:
    """What stands for digits: there are few enough to try them all, so the pairing's id, which is
    as long as a key and is not kept, goes into it."""
    return hmac.new(_bytes(number), _bytes(digits), hashlib.sha256).hexdigest()


def show_on_terminal(digits: str, origin: str) -> None:
    """Show them where only the person at the server sees them."""
    whom = origin or "a program that is no browser"
    if logs.is_json():
        logs.tell(_log, "pairing with %s: the digits are %s", whom, digits)
        return
    shown = f"{digits[:3]} {digits[3:]}"
    sys.stderr.write(f"\n  Pairing with {whom}: type  {shown}  within 2 minutes\n\n")
    sys.stderr.flush()


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
