"""Runs ``fakelight scan`` in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stream_server.cli import main


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str
    found: Any

    @property
    def reports(self) -> list[dict[str, Any]]:
        return self.found if isinstance(self.found, list) else [self.found]


class ScanCommand:
    """``scan("a.mp4", "--window", "40")`` with made-up models."""

    def __init__(self, models: Path, capture: pytest.CaptureFixture[str]) -> None:
        self._models = models
        self._capture = capture

    def __call__(self, *arguments: object) -> Outcome:
        self._capture.readouterr()
        words = [str(argument) for argument in arguments]
        status = main(["scan", *words, "--json", "-", "--models", str(self._models)])
        out, err = self._capture.readouterr()
        return Outcome(status, out, err, json.loads(out))
