"""The server's own token: from the settings, or made on first start for its owner only."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path

from stream_server.settings import Settings

_SHORT = 16
_log = logging.getLogger(__name__)


class TokenError(ValueError):
    """The token cannot be used; the message says why without showing it."""


def load_token(settings: Settings) -> str:
    """The token of ``settings``, else the one in the state directory, which is made if missing.

    Raises ``TokenError`` for a token that is not printable ASCII, or for a file that cannot be read
    or made.
    """
    if settings.token:
        return _checked(settings.token, "FAKELIGHT_TOKEN")
    path = settings.state_dir / "token"
    try:
        return _checked(path.read_text(encoding="ascii").strip(), str(path))
    except FileNotFoundError:
        return _make(path)
    except OSError as error:
        raise TokenError(f"cannot read the token file {path}: {error.strerror}") from error


def _checked(token: str, source: str) -> str:
    if not token or not token.isprintable() or not token.isascii() or " " in token:
        raise TokenError(
            f"the token in {source} is unusable ({len(token)} characters);"
            " it must be printable ASCII without spaces"
        )
    if len(token) < _SHORT:
        _log.warning("the token in %s has only %d characters: easy to guess", source, len(token))
    return token


def _make(path: Path) -> str:
    token = secrets.token_urlsafe(32)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        # O_EXCL: of two servers that start at once one makes the file and the other reads it.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _checked(path.read_text(encoding="ascii").strip(), str(path))
    except OSError as error:
        raise TokenError(f"cannot make the token file {path}: {error.strerror}") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token
