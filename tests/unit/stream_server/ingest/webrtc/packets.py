"""RTP packets made by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def packet(number: int, timestamp: int, marker: bool = False, data: bytes = b"x") -> Any:
    return SimpleNamespace(
        sequence_number=number % 65536, timestamp=timestamp, marker=marker, _data=data
    )
