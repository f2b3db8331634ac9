"""Single files out of tar archives."""

from __future__ import annotations

import tarfile
from pathlib import Path


class TarReader:
    """Reads single members of tar archives; keeps the archives open."""

    def __init__(self) -> None:
        self._open: dict[Path, tarfile.TarFile] = {}

    def read(self, path: Path, member: str) -> bytes:
        """The bytes of ``member``. Raises ``OSError`` or ``KeyError`` where there is none."""
        if path not in self._open:
            self._open[path] = tarfile.open(path)  # noqa: SIM115  # closed by close()
            self._open[path].getmembers()
        handle = self._open[path].extractfile(member)
        if handle is None:
            raise KeyError(f"{path} holds no file {member}")
        return handle.read()

    def close(self) -> None:
        for archive in self._open.values():
            archive.close()
        self._open.clear()
