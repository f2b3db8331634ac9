"""SIGHUP: the terminal was closed and, without one, read the models anew."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from types import FrameType


class HangUp:
    """Hears the signal from now on. Until ``hear`` it is only noted: the system would end a process
    that is still loading."""

    def __init__(self) -> None:
        self._noted = False
        self._ends_with_terminal = False
        if sys.platform != "win32":
            outlives = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # by nohup
            self._ends_with_terminal = _has_terminal() and not outlives
            signal.signal(signal.SIGHUP, self._note)

    @property
    def terminal_closed(self) -> bool:
        """Whether it was sent because the terminal that the process was started in is gone."""
        return self._ends_with_terminal and not _has_terminal()

    def hear(self, then: Callable[[], None]) -> None:
        """Call ``then`` on the running event loop at each one, and at once if one came before."""
        if sys.platform != "win32":
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, then)
            if self._noted:
                then()

    def _note(self, signum: int, frame: FrameType | None) -> None:
        del signum, frame
        self._noted = True


def _has_terminal() -> bool:
    """Whether the terminal that this process was started from is there."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
