"""Builds the site of all pages, ``docs/`` by MkDocs, and checks it: ``make docs``, ``make lint``.

    python -m scripts.docs_site [FOLDER]      build/docs unless named

A page that is in no menu, and a link that leads nowhere, end the build. So does what a browser
would fetch from elsewhere (a font, a script, a picture), which the pages are free of.
"""

from __future__ import annotations

import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from scripts.version import ROOT

SITE = ROOT / "build" / "docs"
# What a browser fetches unasked; a link is followed by a person.
_FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src"}
_LINKS_THAT_FETCH = {"stylesheet", "icon", "preconnect", "preload", "dns-prefetch", "manifest"}


def build(target: Path) -> str:
    """Build the site into ``target``; what MkDocs complains of, or nothing."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--site-dir", str(target)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else (done.stderr or done.stdout).strip()


class _Page(HTMLParser):
    """What one page has: its anchors, its links, and what a browser fetches for it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.anchors.add(told.get("id", ""))
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        if tag in _FETCHED and _FETCHED[tag] in told:
            self.fetched.append(told[_FETCHED[tag]])
        if tag == "link" and _LINKS_THAT_FETCH & set(told.get("rel", "").split()):
            self.fetched.append(told.get("href", ""))


def broken(site: Path) -> list[str]:
    """A line for each link that leads nowhere in the site, and each thing from elsewhere."""
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))}
    found = []
    for path, page in pages.items():
        name = path.relative_to(site).as_posix()
        for address in page.fetched:
            parts = urlsplit(address)
            if parts.netloc:
                found.append(f"{name} fetches {address}")
            elif parts.path and not _there(site, path, parts.path).exists():
                found.append(f"{name} shows {address}, which is not there")
        for address in page.links:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            target = _there(site, path, parts.path) if parts.path else path
            if not target.exists():
                found.append(f"{name} links to {address}, which is not there")
            elif parts.fragment and target in pages:
                known = unquote(parts.fragment) in pages[target].anchors
                found += [] if known else [f"{name} links to {address}, which has no such place"]
    return found


def _there(site: Path, page: Path, address: str) -> Path:
    plain = unquote(address)
    start = site if plain.startswith("/") else page.parent
    target = (start / plain.lstrip("/")).resolve()
    return target / "index.html" if target.is_dir() else target


def main() -> int:
    """Build and check; 1 where something is wrong."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    complaint = build(target)
    wrong = [complaint] if complaint else broken(target)
    for line in wrong:
        print(line, file=sys.stderr)
    if not wrong:
        print(f"{target / 'index.html'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
