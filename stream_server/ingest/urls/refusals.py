"""Why a live source is not watched, in words that its owner can act on."""

from __future__ import annotations

from stream_server.ingest.files.unusable import UnusableError


class RefusedSourceError(UnusableError):
    """Something that is not connected to or read, now or later; the message names value and limit.

    Trying again does not help: the address, the playlist or the stream has to change.
    """

    def __init__(self, message: str) -> None:
        super().__init__("refused", message)


class SourceGoneError(Exception):
    """A source that cannot be read just now; it may come back. The message says what happened."""
