"""What the person who scans may choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from stream_server.ingest.files.region import WHOLE_PICTURE, Region
from stream_server.settings import Settings
from stream_server.window_limits import MAX_WINDOW, MIN_WINDOW

FailOn = Literal["likely_fake", "unsure", "never"]
FAIL_ON: tuple[FailOn, ...] = get_args(FailOn)
DEFAULT_WINDOW = "20"
WINDOWS = (20, 40, 60, 80, 100)
_WINDOWS_IN_A_CLIP = 4


@dataclass(frozen=True)
class ScanOptions:
    """``window``: samples that a verdict looks back on, ``None`` chooses by the file's length;
    ``sample_hz``: samples per second of media time, at most; ``budget``: samples per file, a
    longer file is looked at in stretches; ``region``: the part of the picture that is looked
    at, left, top, right and bottom in fractions."""

    window: int | None
    sample_hz: float
    budget: int
    region: Region = WHOLE_PICTURE

    @classmethod
    def chosen(
        cls, settings: Settings, window: str = DEFAULT_WINDOW, region: Region = WHOLE_PICTURE
    ) -> ScanOptions:
        """What a scan does unless it is told otherwise. Raises ``ValueError`` for a bad window."""
        return cls(parse_window(window), settings.sample_hz, settings.scan_samples, region)

    def window_for(self, duration: float | None, rate: float) -> int:
        """The window for a file of ``duration`` seconds sampled ``rate`` times a second.

        A longer window is steadier; a clip should still hold several of them.
        """
        if self.window is not None:
            return self.window
        room = (duration or 0.0) * rate / _WINDOWS_IN_A_CLIP
        return max((choice for choice in WINDOWS if choice <= room), default=WINDOWS[0])


def parse_window(text: str) -> int | None:
    """A window from the command line or a form; ``None`` for ``auto``.

    Raises ``ValueError`` for anything else than ``auto`` and a number in the limits.
    """
    if text.strip().lower() == "auto":
        return None
    try:
        window = int(text)
    except ValueError:
        window = -1
    if not MIN_WINDOW <= window <= MAX_WINDOW:
        usual = ", ".join(str(choice) for choice in WINDOWS)
        raise ValueError(
            f"window is {text!r}; it is a number of samples from {MIN_WINDOW} to {MAX_WINDOW}"
            f" (usually {usual}) or auto"
        )
    return window
