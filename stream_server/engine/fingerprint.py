"""Whether two model repositories are the same."""

from __future__ import annotations

import hashlib
from pathlib import Path


def fingerprint(models: Path) -> str:
    """SHA-256 over the names and contents of a model repository's files."""
    digest = hashlib.sha256()
    for path in sorted(path for path in models.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(models).as_posix()} {content}\n".encode())
    return digest.hexdigest()
