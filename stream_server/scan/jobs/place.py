"""Which state folder an upload lies in: servers that share the table of scans share no disk."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def place_of(folder: Path) -> str:
    """A name that ``folder`` has and no other, made at the first use. Raises ``OSError``."""
    path = folder / "scans.place"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii")
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(8))
    return path.read_text(encoding="ascii")
