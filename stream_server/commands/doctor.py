"""``fakelight doctor``: everything that must be right for a stream to be judged, one line each."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable

import numpy as np

from stream_server import __version__, resources
from stream_server.engine.check import check_repository
from stream_server.engine.configured import configured_engine
from stream_server.server.token_file import load_token
from stream_server.settings import Settings
from stream_server.vision.detect import FaceDetector


def examine(settings: Settings) -> int:
    """Print each check with its outcome; 1 if one failed."""
    checks: list[tuple[str, Callable[[], str]]] = [
        ("program", lambda: f"fakelight {__version__}, Python {sys.version.split()[0]}"),
        ("token", lambda: _token(settings)),
        ("port", lambda: _port(settings)),
        ("models", lambda: _models(settings)),
        ("face detector", _detector),
        ("engine", lambda: asyncio.run(_engine(settings))),
        ("extension", _extension),
    ]
    failed = 0
    for name, check in checks:
        try:
            sys.stdout.write(f"ok    {name}: {check()}\n")
        except Exception as error:  # the point is to go on and show them all
            failed += 1
            sys.stdout.write(f"FAIL  {name}: {error}\n")
    return 1 if failed else 0


def _token(settings: Settings) -> str:
    load_token(settings)
    path = settings.state_dir / "token"
    if settings.token:
        return "from FAKELIGHT_TOKEN"
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise PermissionError(f"others can read {path}: chmod 600 it")
    return f"in {path}, readable by its owner only"


def _port(settings: Settings) -> str:
    with socket.socket() as probe:
        probe.settimeout(1)
        busy = probe.connect_ex((settings.host, settings.port)) == 0
    where = f"{settings.host}:{settings.port}"
    return f"something serves on {where} already" if busy else f"{where} is free"


def _models(settings: Settings) -> str:
    findings = check_repository(settings.models)
    if findings:
        raise ValueError("; ".join(str(finding) for finding in findings))
    return f"{settings.models} is as its configs say"


def _detector() -> str:
    found = FaceDetector().detect(np.zeros((360, 640, 3), np.uint8))
    if len(found):
        raise ValueError(f"it sees {len(found)} faces in a black picture")
    return "loads, and sees nothing in a black picture"


async def _engine(settings: Settings) -> str:
    # As a server opens it, but for the stand-in: it would hide what is wrong with Triton.
    engine = configured_engine(settings.model_copy(update={"triton_fallback": False}))
    try:
        await engine.probe()
    finally:
        await engine.close()
    return f"{engine.name}: a real inference went through"


def _extension() -> str:
    folder = resources.extension_dir()
    if not (folder / "manifest.json").is_file():
        raise FileNotFoundError(f"{folder} has no manifest.json")
    return f"load it from {folder}"
