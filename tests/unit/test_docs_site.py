"""What the check of the site finds; `make lint` makes it on the site itself."""

from __future__ import annotations

from pathlib import Path

import yaml

from scripts.docs_site import broken
from tests.support.paths import ROOT


def test_a_site_in_order_passes(tmp_path: Path) -> None:
    (tmp_path / "guides").mkdir()
    (tmp_path / "a.css").touch()
    (tmp_path / "index.html").write_text(
        '<link rel="stylesheet" href="a.css"><link rel="canonical" href="https://example.org/">'
        '<a href="guides/one.html#place">1</a><a href="guides/">2</a><a href="#top" id="top">3</a>'
        '<a href="https://example.org/elsewhere">4</a><a href="mailto:a@example.org">5</a>'
    )
    (tmp_path / "guides" / "one.html").write_text('<h1 id="place">1</h1><a href="../">back</a>')
    (tmp_path / "guides" / "index.html").write_text('<a href="/index.html">home</a>')
    assert broken(tmp_path) == []


def test_links_to_nowhere_and_all_that_comes_from_elsewhere_are_named(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(
        '<a href="gone.html">1</a><a href="#gone">2</a><img src="gone.png">'
        '<link rel="preconnect" href="https://fonts.example.org">'
        '<script src="https://example.org/x.js"></script>'
    )
    assert sorted(broken(tmp_path)) == [
        "index.html fetches https://example.org/x.js",
        "index.html fetches https://fonts.example.org",
        "index.html links to #gone, which has no such place",
        "index.html links to gone.html, which is not there",
        "index.html shows gone.png, which is not there",
    ]


def test_every_page_is_in_the_menu_and_no_font_comes_from_elsewhere() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    plain = "\n".join(line for line in text.splitlines() if "!!python" not in line)
    told = yaml.safe_load(plain)
    assert told["theme"]["font"] is False
    assert told["validation"]["nav"]["omitted_files"] == "warn", "and warnings end the build"
