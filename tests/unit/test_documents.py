"""The documents name files that exist, and every room of the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FOLDERS = "extension|stream_server|training|tests|scripts|deploy|docs|benchmarks|triton_models"


def named(page: Path) -> set[str]:
    """The paths of the checkout in a page's code spans."""
    return set(re.findall(rf"`((?:{FOLDERS})/[\w./-]*)[`\s]", page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_path_that_a_page_names_is_there(page: Path) -> None:
    assert sorted(path for path in named(page) if not (ROOT / path).exists()) == []


def test_the_architecture_names_every_room() -> None:
    told = named(DOCS / "architecture.md")
    rooms = {
        f"{folder}/{path.name}/"
        for folder in ("stream_server", "training")
        for path in (ROOT / folder).iterdir()
        if (path / "__init__.py").exists()
    }
    assert sorted(rooms - told) == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {ROOT / "README.md"}
    left = list(reached)
    while left:
        page = left.pop()
        for target in re.findall(r"\]\(([^)#\s]+\.md)[^)]*\)", page.read_text(encoding="utf-8")):
            found = (page.parent / target).resolve()
            if found not in reached and found.exists():
                reached.add(found)
                left.append(found)
    assert sorted(path.name for path in PAGES if path not in reached) == []
