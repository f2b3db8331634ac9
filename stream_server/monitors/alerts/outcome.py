"""What became of one attempt to deliver something."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Failed is tried again; dead is given up, until a person replays it.
AttemptResult = Literal["delivered", "failed", "dead"]

# Answers that say that nobody is there to judge the message.
_ABSENT = frozenset({429, 502, 503, 504})


@dataclass(frozen=True)
class Outcome:
    """``status`` is the receiver's own answer, ``None`` where none came.

    ``error`` is fit to be shown: it holds nothing that the receiver wrote, and no secret; empty
    where the message was taken. ``retry_after`` is in seconds.
    """

    error: str = ""
    status: int | None = None
    retry_after: float | None = None

    @property
    def delivered(self) -> bool:
        """The receiver has it."""
        return not self.error

    @property
    def gone(self) -> bool:
        """The receiver wants no more (410)."""
        return self.status == 410

    @property
    def turned_down(self) -> bool:
        """The receiver is there, and has an objection to this very message, for all that is known.

        Where it is not there, or has no time, the next message fares no better.
        """
        return bool(self.error) and self.status is not None and self.status not in _ABSENT
