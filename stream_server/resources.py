"""Where the files that come with the program lie: in a checkout, or inside the installed wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_CHECKOUT = _PACKAGE.parent
_WHEEL = _PACKAGE / "_data"


def _find(name: str) -> Path:
    return _WHEEL / name if (_WHEEL / name).is_dir() else _CHECKOUT / name


def models_dir() -> Path:
    """The model repository ``triton_models``."""
    return _find("triton_models")


def extension_dir() -> Path:
    """The browser extension, whose modules the live page uses too."""
    return _find("extension")


def web_dir() -> Path:
    """The server's own pages."""
    return _PACKAGE / "web"


def sample_clip() -> Path:
    """The live page's sample, whose middle third is manipulated."""
    return web_dir() / "static" / "sample.mp4"


def default_state_dir() -> Path:
    """Where the token and other things that outlive a run are kept, by each system's custom."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return base / "fakelight"
