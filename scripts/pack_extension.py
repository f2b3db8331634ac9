"""Packs the extension for the stores: one zip for Chrome and Edge, one for Firefox.

    python -m scripts.pack_extension [FOLDER]      writes them into FOLDER, dist/ unless named

The same files give the same bytes, whenever and by whomever they are packed: names in one order, no
times and no rights of the machine. What the two hold differs in the manifest alone, by what the
other browser does not know and would warn of.
"""

from __future__ import annotations

import copy
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = ROOT / "extension"
Manifest = dict[str, Any]

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_RIGHTS = 0o644 << 16
_LEVEL = 9


def for_chrome(manifest: Manifest) -> Manifest:
    """Without what is Firefox's: its own settings, and scripts in the place of a service worker."""
    found = copy.deepcopy(manifest)
    del found["browser_specific_settings"]
    del found["background"]["scripts"]
    return found


def for_firefox(manifest: Manifest) -> Manifest:
    """Without what is Chrome's: its version, the service worker, and permissions for what only
    Chrome has."""
    found = copy.deepcopy(manifest)
    del found["minimum_chrome_version"]
    del found["background"]["service_worker"]
    only_chrome = {"offscreen", "tabCapture"}
    found["permissions"] = [one for one in found["permissions"] if one not in only_chrome]
    return found


BROWSERS: dict[str, Callable[[Manifest], Manifest]] = {
    "chrome": for_chrome,
    "firefox": for_firefox,
}


def pack(extension: Path, target: Path) -> list[Path]:
    """Write a zip for each browser into ``target``, which is made; their paths."""
    manifest = json.loads((extension / "manifest.json").read_text(encoding="utf-8"))
    target.mkdir(parents=True, exist_ok=True)
    written = []
    for browser, fitted in BROWSERS.items():
        path = target / f"fakelight-{browser}-{manifest['version']}.zip"
        own = json.dumps(fitted(manifest), indent=2, ensure_ascii=False) + "\n"
        with zipfile.ZipFile(path, "w") as packed:
            for file in _files(extension):
                name = file.relative_to(extension).as_posix()
                content = own.encode() if name == "manifest.json" else file.read_bytes()
                entry = zipfile.ZipInfo(name, _TIME)
                entry.external_attr = _RIGHTS
                entry.create_system = 3  # as on POSIX, wherever it is packed
                packed.writestr(entry, content, zipfile.ZIP_DEFLATED, _LEVEL)
        written.append(path)
    return written


def _files(extension: Path) -> list[Path]:
    """All that belongs to it, in one order; an editor's and a system's own files do not."""
    found = (path for path in extension.rglob("*") if path.is_file())
    kept = (
        path
        for path in found
        if not any(part.startswith(".") for part in path.relative_to(extension).parts)
    )
    return sorted(kept, key=lambda path: path.relative_to(extension).as_posix())


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    for made in pack(EXTENSION, folder):
        print(made)
