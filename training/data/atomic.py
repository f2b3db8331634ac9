"""Files that appear only when they are complete."""

from __future__ import annotations

import glob
import os
import platform
from pathlib import Path


def unfinished(path: Path) -> Path:
    """Where to write what ``path`` will be renamed from; no other process has the same name,
    on this machine or on another one that writes to the same folder."""
    return path.with_name(f"{path.name}.{platform.node()}-{os.getpid()}.part")


def sweep(path: Path) -> None:
    """Remove what writers of ``path`` that went down have left beside it."""
    for left in path.parent.glob(f"{glob.escape(path.name)}.*.part"):
        left.unlink(missing_ok=True)
