"""The one version, which ``pyproject.toml`` says, and its copies wherever else it has to stand.

    python -m scripts.version          prints it, and fails where a copy says another
    python -m scripts.version 0.2.0    makes that the version everywhere

The extension's manifest and the deployments are used as they lie, so that each holds a copy.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCE = Path("pyproject.toml")
_NUMBER = r"(\d+\.\d+\.\d+)"  # what Chrome, Firefox and Python all take
_IN_SOURCE = rf'^version = "{_NUMBER}"$'
_IMAGE = rf"\bfakelight/stream-server:{_NUMBER}$"
COPIES = {
    Path("extension/manifest.json"): rf'^  "version": "{_NUMBER}",$',
    Path("stream_server/__init__.py"): rf'^__version__ = "{_NUMBER}"$',
    Path("docker-compose.yml"): _IMAGE,
    **{
        path.relative_to(ROOT): _IMAGE
        for path in sorted((ROOT / "deploy" / "kubernetes").rglob("*.yaml"))
        if "fakelight/stream-server:" in path.read_text(encoding="utf-8")
    },
}


def version(root: Path = ROOT) -> str:
    """As ``pyproject.toml`` has it."""
    text = (root / SOURCE).read_text(encoding="utf-8")
    return str(tomllib.loads(text)["project"]["version"])


def strays(root: Path = ROOT) -> list[str]:
    """A line for each copy that says another version, or none at all."""
    wanted, found = version(root), []
    for path, pattern in COPIES.items():
        said = set(re.findall(pattern, (root / path).read_text(encoding="utf-8"), re.M))
        if said != {wanted}:
            found.append(f"{path} says {', '.join(sorted(said)) or 'no version'}, not {wanted}")
    return found


def write(new: str, root: Path = ROOT) -> None:
    """Make ``new`` the version. Raises ``ValueError`` where it is none that all three take."""
    if not re.fullmatch(_NUMBER, new):
        raise ValueError(f"{new!r} is no version such as 1.2.3")
    for path, pattern in {SOURCE: _IN_SOURCE, **COPIES}.items():
        file = root / path
        text = file.read_text(encoding="utf-8")
        file.write_text(
            re.sub(pattern, lambda m: m[0].replace(m[1], new), text, flags=re.M), encoding="utf-8"
        )


def main() -> int:
    """Print or change it; 1 where a copy strays."""
    if len(sys.argv) > 1:
        write(sys.argv[1])
    for stray in strays():
        print(stray, file=sys.stderr)
    print(version())
    return 1 if strays() else 0


if __name__ == "__main__":
    raise SystemExit(main())
