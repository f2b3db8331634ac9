"""What the stores are told is what the extension is, and pictures have the sizes they ask for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from PIL import Image, ImageChops

from scripts.icons import BANNERS, LOGO, SIZES, STORE, mark
from tests.support.paths import EXTENSION, ROOT

PAGE = (ROOT / "docs" / "publishing.md").read_text(encoding="utf-8")
SCREENSHOT = (1280, 800)
SMOOTHING = 8  # of 255: how much edges may differ from one version of Pillow to the next


@pytest.fixture(scope="module")
def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXTENSION / "manifest.json").read_text(encoding="utf-8"))
    return found


def said(heading: str) -> str:
    (text,) = re.findall(rf"^\*\*{re.escape(heading)}\*\*[^:]*:\s*(.+?)\n\n", PAGE, re.M | re.S)
    return re.sub(r"\n>? ?", " ", text).strip()


def test_name_and_short_description_are_the_extensions_own_and_short_enough() -> None:
    words = json.loads((EXTENSION / "_locales" / "en" / "messages.json").read_text())
    assert said("Name") == words["name"]["message"]
    assert said("Short description") == words["description"]["message"]
    for locale in (EXTENSION / "_locales").iterdir():
        messages = json.loads((locale / "messages.json").read_text(encoding="utf-8"))
        assert len(messages["description"]["message"]) <= 132, locale.name


def test_every_permission_and_no_other_is_accounted_for(manifest: dict[str, Any]) -> None:
    part = PAGE.split("## Why each permission is asked for")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.+?) \| \S", part, re.M)
    told = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    keys = ("permissions", "optional_permissions", "host_permissions", "optional_host_permissions")
    assert told == {name for key in keys for name in manifest.get(key, [])}


def test_what_mozilla_is_told_of_data_is_in_the_manifest(manifest: dict[str, Any]) -> None:
    gecko = manifest["browser_specific_settings"]["gecko"]
    (required,) = gecko["data_collection_permissions"]["required"]
    assert f"`{required}`, required" in PAGE


def test_icons_are_there_in_every_size_and_drawn_by_the_script(manifest: dict[str, Any]) -> None:
    assert manifest["icons"] == {str(size): f"icons/{size}.png" for size in SIZES}
    for size in SIZES:
        with Image.open(EXTENSION / "icons" / f"{size}.png") as icon:
            assert icon.size == (size, size) and icon.mode == "RGBA"
            drawn = ImageChops.difference(icon, mark(size))
            worst = max(band.getextrema()[1] for band in drawn.split())
            assert worst <= SMOOTHING, "run `python -m scripts.icons`"
    sizes = {f"{kind}-{width}x{height}.png": (width, height) for kind, width, height in BANNERS}
    for name, size in (sizes | {f"logo-{LOGO}.png": (LOGO, LOGO)}).items():
        with Image.open(STORE / name) as picture:
            assert picture.size == size


def test_screenshots_have_the_size_that_stores_ask_for() -> None:
    shots = sorted(STORE.glob("shot-*.jpg"))
    assert 3 <= len(shots) <= 5, "Chrome's store takes five at most"
    for shot in shots:
        with Image.open(shot) as picture:
            assert picture.size == SCREENSHOT, shot.name
