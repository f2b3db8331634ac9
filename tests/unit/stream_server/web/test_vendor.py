"""What the pages use of others is unchanged, and nothing is loaded from elsewhere."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from stream_server import resources
from tests.support.paths import ROOT

VENDOR = resources.web_dir() / "static" / "vendor"
LIBRARIES = sorted(path for path in VENDOR.iterdir() if path.is_dir())
_ELSEWHERE = re.compile(
    r"""(?:src|href)="(?:https?:)?//|from "https?:|import\("https?:|url\(["']?http"""
)


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.name)
def test_every_file_is_unchanged_and_licensed(library: Path) -> None:
    lines = (library / "SHA256SUMS").read_text().splitlines()
    told = {name: digest for digest, name in (line.split() for line in lines)}
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in library.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert found == told
    assert "LICENSE" in found
    assert str(library.relative_to(ROOT)) in (ROOT / "NOTICE").read_text()


def test_pages_load_nothing_from_elsewhere() -> None:
    web = resources.web_dir()
    files = [path for kind in ("html", "css", "js") for path in web.rglob(f"*.{kind}")]
    assert len(files) > 20
    elsewhere = {path.name for path in files if _ELSEWHERE.search(path.read_text())}
    assert elsewhere == set()
