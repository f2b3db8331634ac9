"""Interpreters of other Python versions, and what a release hands out to them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

UV = Path(sys.executable).with_name("uv")
_PATIENCE = 600  # seconds for what comes out of the package index


@dataclass(frozen=True)
class Archives:
    """What a release hands out: the wheel, made from the source archive as an index makes it."""

    wheel: Path
    source: Path


def build(root: Path, target: Path) -> Archives:
    """Both archives of the project in ``root``, into ``target``."""
    uv("build", "--out-dir", str(target), "--python", sys.executable, str(root))
    (wheel,), (source,) = target.glob("*.whl"), target.glob("*.tar.gz")
    return Archives(wheel, source)


def uv(*arguments: str, environment: dict[str, str] | None = None) -> str:
    """Run uv; what it said. Raises ``AssertionError`` where it fails."""
    env = {**os.environ, "UV_NO_PROGRESS": "1", **(environment or {})}
    ran = subprocess.run(
        [UV, *arguments], capture_output=True, text=True, timeout=_PATIENCE, env=env
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout + ran.stderr


def find_python(version: str, downloads: Path) -> Path | None:
    """A Python ``version``, such as 3.12: one that is here, else one that uv can bring."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    on_path = shutil.which(f"python{version}")
    named = [Path(on_path)] if on_path else []
    for python in (
        Path(sys.executable),
        *named,
        *sorted(pyenv.glob(f"versions/{version}.*/bin/python")),
    ):
        if _version_of(python) == version:
            return python
    command = [UV, "python", "install", "--install-dir", str(downloads), version]
    env = {**os.environ, "UV_HTTP_RETRIES": "0"}
    if subprocess.run(command, capture_output=True, timeout=_PATIENCE, env=env).returncode:
        return None
    return next(iter(sorted(downloads.glob("cpython-*/bin/python"))), None)


def _version_of(python: Path) -> str:
    """An interpreter that is only the name of one, as a version manager's may be, has none."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    ran = subprocess.run([python, "-c", ask], capture_output=True, text=True, timeout=60)
    return ran.stdout.strip()
