"""Pairing: six digits shown by the server, typed once, for a token bound to one Origin."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from stream_server import logs
from stream_server.atomic import write_text
from stream_server.problem import ProblemError

_log = logging.getLogger(__name__)
LIFETIME = 120.0  # seconds
TRIES = 5
_OPEN_AT_ONCE = 8


class PairingError(ProblemError):
    """A pairing that did not come about; ``tries_left`` where digits were wrong."""

    def __init__(self, status: int, message: str, tries_left: int | None = None) -> None:
        members = {} if tries_left is None else {"tries_left": tries_left}
        super().__init__(status, message, None, **members)
        self.tries_left = tries_left


@dataclass
class _Pairing:
    code: str
    origin: str
    expires: float
    tries: int = field(default=TRIES)


def show_on_terminal(code: str, origin: str) -> None:
    """Show the digits where only the person at the server sees them."""
    whom = origin or "a program that is no browser"
    if logs.is_json():
        logs.tell(_log, "pairing with %s: the digits are %s", whom, code)
        return
    sys.stderr.write(f"\n  Pairing with {whom}: type  {code[:3]} {code[3:]}  within 2 minutes\n\n")
    sys.stderr.flush()


class Pairings:
    """Pairings under way, and the paired clients.

    Tokens are kept as hashes in ``paired.json`` of the state directory: who reads that file
    learns no token. ``observe`` is told what became of each pairing, for metrics.
    """

    def __init__(
        self,
        state_dir: Path,
        *,
        show: Callable[[str, str], None] = show_on_terminal,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[str], None] = lambda result: None,
    ) -> None:
        self._path = state_dir / "paired.json"
        self._show = show
        self._clock = clock
        self._observe = observe
        self._open: dict[str, _Pairing] = {}
        self._paired = self._load()

    def start(self, origin: str) -> str:
        """Show six digits for ``origin`` and return the pairing's id.

        Raises ``PairingError`` (429) while too many pairings are under way.
        """
        now = self._clock()
        self._open = {key: one for key, one in self._open.items() if one.expires > now}
        if len(self._open) >= _OPEN_AT_ONCE:
            self._observe("refused")
            raise PairingError(429, f"{_OPEN_AT_ONCE} pairings are under way; wait two minutes")
        # Asking again replaces the digits: a page must not collect pairings to guess at.
        for key in [key for key, one in self._open.items() if one.origin == origin]:
            del self._open[key]
        number, code = secrets.token_urlsafe(12), f"{secrets.randbelow(10**6):06d}"
        self._open[number] = _Pairing(code, origin, now + LIFETIME)
        self._show(code, origin)
        self._observe("started")
        return number

    def finish(self, number: str, code: str, origin: str) -> str:
        """A token for ``origin`` in exchange for the right digits.

        Raises ``PairingError``: 410 when the pairing is unknown, expired or used up, 403 for
        another origin or wrong digits (with the tries left).
        """
        pairing = self._open.get(number)
        if pairing is None or pairing.expires <= self._clock():
            self._open.pop(number, None)
            self._observe("expired")
            raise PairingError(410, "this pairing has expired; start again for new digits")
        if pairing.origin != origin:
            self._observe("refused")
            raise PairingError(403, "this pairing was started by somebody else")
        if not hmac.compare_digest(code.encode(), pairing.code.encode()):
            pairing.tries -= 1
            self._observe("wrong_digits")
            if pairing.tries <= 0:
                del self._open[number]
                raise PairingError(410, f"{TRIES} wrong tries; start again for new digits", 0)
            raise PairingError(403, f"wrong digits; tries left: {pairing.tries}", pairing.tries)
        del self._open[number]
        token = secrets.token_urlsafe(32)
        self._paired[_hash(token)] = origin
        self._save()
        self._observe("paired")
        _log.info("paired with %s", origin)
        return token

    def accepts(self, token: str, origin: str | None) -> bool:
        """Whether ``token`` was given to ``origin``; a client that is no page has none."""
        return self._paired.get(_hash(token)) == (origin or "")

    def forget(self, token: str) -> bool:
        """Unpair: the token opens nothing from now on. Whether it did before."""
        known = self._paired.pop(_hash(token), None) is not None
        if known:
            self._save()
            self._observe("ended")
        return known

    def _load(self) -> dict[str, str]:
        try:
            paired = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            _log.warning("cannot read %s (%s): pair again", self._path, error)
            return {}
        return {str(key): str(value) for key, value in paired.items()}

    def _save(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_text(self._path, json.dumps(self._paired), 0o600)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
