"""The run directory: what was run, with which settings, seed and versions, and what came of it."""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from stream_server.atomic import sweep

_PACKAGES = ("torch", "timm", "lightning", "numpy", "opencv-python-headless", "onnxruntime", "av")


class RunDir:
    """A folder with ``settings.json`` (settings, seed, versions) and ``log.jsonl``.

    What killed runs have left half written there is removed. Where several processes train
    together, the first one alone writes.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        self.path = path
        self.silent = not first_process()
        path.mkdir(parents=True, exist_ok=True)
        if not self.silent:
            sweep(path)
        record = {"settings": settings, "versions": versions(), "command": sys.argv}
        target = path / "settings.json"
        if not self.silent and not target.exists():
            target.write_text(json.dumps(record, indent=2, default=str) + "\n")
        self.log("start", **record)

    def log(self, event: str, **values: Any) -> None:
        """Append one line to ``log.jsonl``."""
        if self.silent:
            return
        line = {"event": event, "at": round(time.time(), 1), **values}
        with (self.path / "log.jsonl").open("a") as handle:
            handle.write(json.dumps(line, default=str) + "\n")


def first_process() -> bool:
    """Whether this is the only process of a run, or the first one of several.

    By the variables that torchrun, SLURM and Lightning's own launcher set.
    """
    if "RANK" in os.environ:
        return os.environ["RANK"] == "0"
    names = ("NODE_RANK", "LOCAL_RANK", "SLURM_PROCID")
    return all(os.environ.get(name, "0") == "0" for name in names)


def versions() -> dict[str, str]:
    """The versions of Python and of what a run's outcome depends on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
