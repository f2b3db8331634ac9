"""Runs ``fakelight scan`` in this process."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from stream_server.cli import main


def run(*arguments: object) -> int:
    """The command's exit status; in a thread, where no event loop of another test runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(main, [str(argument) for argument in arguments]).result()


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
        status = run("scan", *arguments, "--json", "-", "--models", self._models)
        out, err = self._capture.readouterr()
        return Outcome(status, out, err, json.loads(out))
