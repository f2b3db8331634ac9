"""The page ``/scan`` in a real browser: by mouse, by keyboard alone, and on a small screen."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.e2e.browser import chromium
from tests.support.paths import ROOT
from tests.support.scan_media import every, moving_face, without_faces, write_video
from tests.support.server import TOKEN, Server, start_server

SMALL = {"width": 360, "height": 640}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan-clips")
    write_video(folder / "face.mp4", moving_face(), every(10, 3), rate=10)
    write_video(folder / "nobody.mp4", without_faces(), every(10, 2), rate=10)
    write_video(folder / "long.mp4", moving_face(), every(10, 100), rate=10)
    (folder / "letter.mp4").write_text("this is no video\n" * 50)
    return folder


@pytest.fixture(scope="module")
def scan_server(tmp_path_factory: pytest.TempPathFactory, tiny_models: Path) -> Iterator[Server]:
    running = start_server(tmp_path_factory.mktemp("scan-server"), "--models", str(tiny_models))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def chrome(playwright: Playwright) -> Iterator[Browser]:
    running = playwright.chromium.launch(
        executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"]
    )
    yield running
    running.close()


@pytest.fixture
def scan_page(chrome: Browser, scan_server: Server) -> Iterator[Page]:
    context = chrome.new_context(viewport={"width": 1000, "height": 800})
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: troubles.extend([said.text] * (said.type == "error")))
    page.goto(f"{scan_server.url}/scan#token={TOKEN}")
    expect(page.locator("#drop")).to_be_visible()
    yield page
    context.close()
    # Without the cookie the page asks once and is told 401; that is no trouble.
    assert [trouble for trouble in troubles if "401" not in trouble] == []


def row(page: Page, name: str) -> Any:
    return page.locator("li.scan").filter(has=page.get_by_text(name, exact=True)).first


def drop(page: Page, *paths: Path) -> None:
    """Drop files on the page as the system does."""
    handle = page.evaluate_handle(
        """files => {
            const moved = new DataTransfer();
            for (const [name, bytes] of files)
                moved.items.add(new File([new Uint8Array(bytes)], name));
            return moved;
        }""",
        [[path.name, list(path.read_bytes())] for path in paths],
    )
    for kind in ("dragenter", "dragover"):
        page.dispatch_event("#drop", kind, {"dataTransfer": handle})
    expect(page.locator("#drop")).to_have_class("panel drop over")
    page.dispatch_event("#drop", "drop", {"dataTransfer": handle})
    expect(page.locator("#drop")).to_have_class("panel drop")


def test_several_files_dropped_at_once(scan_page: Page, clips: Path) -> None:
    drop(scan_page, clips / "face.mp4", clips / "nobody.mp4", clips / "letter.mp4")
    told = re.compile(r"^(Likely fake, \d+ %|Leans fake, \d+ %|Unsure|Likely real)$")
    expect(row(scan_page, "face.mp4").locator(".state")).to_have_text(told)
    expect(row(scan_page, "face.mp4").locator(".detail")).to_contain_text(re.compile("face|signs"))
    expect(row(scan_page, "nobody.mp4").locator(".state")).to_have_text("Cannot tell")
    expect(row(scan_page, "letter.mp4").locator(".state")).to_have_text("Not checked")
    expect(row(scan_page, "letter.mp4").locator(".detail")).to_contain_text("not a video")
    assert "token" not in scan_page.url


def test_the_report_opens_and_the_browser_has_nothing_to_complain(
    scan_page: Page, clips: Path
) -> None:
    scan_page.set_input_files("#files", clips / "face.mp4")
    link = row(scan_page, "face.mp4").get_by_role("link", name="Read the report")
    expect(link).to_be_visible()
    with scan_page.context.expect_page() as opened:
        link.click()
    report = opened.value
    report.wait_for_load_state()
    complaints: list[str] = []
    report.on("console", lambda said: complaints.append(said.text))
    report.reload()
    expect(report.get_by_role("heading", level=2)).to_be_visible()
    assert report.locator("svg.timeline .curve").count() == 1
    painted = report.evaluate("getComputedStyle(document.querySelector('.verdict')).borderRadius")
    assert painted == "10px", "the style is let through by the policy"
    widths = report.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert widths and min(widths) > 0
    assert complaints == []
    report.close()


def test_history_survives_a_reload_and_entries_can_be_removed(scan_page: Page, clips: Path) -> None:
    scan_page.set_input_files("#files", clips / "nobody.mp4")
    expect(row(scan_page, "nobody.mp4").locator(".state")).to_have_text("Cannot tell")
    before = scan_page.locator("li.scan").count()
    scan_page.reload()
    expect(scan_page.locator("li.scan")).to_have_count(before)
    row(scan_page, "nobody.mp4").get_by_role("button").click()
    expect(scan_page.locator("li.scan")).to_have_count(before - 1)
    scan_page.reload()
    expect(scan_page.locator("li.scan")).to_have_count(before - 1)


def test_a_scan_shows_its_progress_and_is_cancelled(scan_page: Page, clips: Path) -> None:
    scan_page.set_input_files("#files", clips / "long.mp4")
    one = row(scan_page, "long.mp4")
    expect(one.locator(".state")).to_contain_text("Analysing")
    expect(one.locator(".state")).to_contain_text("left")
    assert 0 < one.locator("progress").evaluate("bar => bar.value") < 1
    one.get_by_role("button", name="Cancel long.mp4").click()
    expect(one.locator(".state")).to_have_text("Cancelled")
    expect(one.get_by_role("button", name="Remove long.mp4")).to_be_focused()


def test_by_keyboard_alone(scan_page: Page, clips: Path) -> None:
    keys = scan_page.keyboard
    # Chromium needs a moment to hand its file dialog over; asking for it only now would be a race.
    scan_page.on("filechooser", lambda chooser: None)

    def go_to(selector: str) -> None:
        for _ in range(30):
            if scan_page.evaluate("s => document.activeElement?.matches(s)", selector):
                return
            keys.press("Tab")
        raise AssertionError(f"{selector} cannot be reached with the Tab key")

    go_to("summary")
    keys.press("Enter")
    go_to("#window")
    keys.press("End")
    assert scan_page.input_value("#window") == "auto"
    scan_page.evaluate("document.activeElement.blur()")
    go_to("#choose")
    with scan_page.expect_file_chooser() as choosing:
        keys.press("Enter")
    choosing.value.set_files(clips / "face.mp4")
    one = row(scan_page, "face.mp4")
    expect(one.get_by_role("link", name="Read the report")).to_be_visible()
    expect(scan_page.locator("#spoken")).to_contain_text("face.mp4: ")
    go_to("li.scan a.report")
    focus = scan_page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert focus == "solid", "the focus can be seen"
    with scan_page.context.expect_page() as opened:
        keys.press("Enter")
    expect(opened.value.get_by_role("heading", level=2)).to_be_visible()
    opened.value.close()
    scan_page.bring_to_front()
    count = scan_page.locator("li.scan").count()
    go_to("li.scan .drop-it")
    keys.press("Space")
    expect(scan_page.locator("li.scan")).to_have_count(count - 1)
    assert scan_page.evaluate("document.activeElement !== document.body")


def test_on_a_small_screen_nothing_is_cut_off(scan_page: Page, clips: Path, tmp_path: Path) -> None:
    scan_page.set_viewport_size(SMALL)
    name = "a-very-long-name-without-any-spaces-" * 3 + ".mp4"
    (tmp_path / name).write_bytes((clips / "face.mp4").read_bytes())
    scan_page.set_input_files("#files", tmp_path / name)
    expect(row(scan_page, name).get_by_role("link", name="Read the report")).to_be_visible()
    assert scan_page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    for control in scan_page.locator("button:visible, select:visible").all():
        box = control.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= SMALL["width"]


def test_without_the_token_the_page_asks_for_it(chrome: Browser, scan_server: Server) -> None:
    page = chrome.new_page()
    page.goto(f"{scan_server.url}/scan")
    expect(page.locator("#entry")).to_be_visible()
    expect(page.locator("#drop")).to_be_hidden()
    page.fill("#token", TOKEN)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#drop")).to_be_visible()
    page.close()


def test_a_saved_report_opens_offline_and_prints(
    chrome: Browser, clips: Path, tiny_models: Path, tmp_path: Path
) -> None:
    saved = tmp_path / "report.html"
    command = [sys.executable, "-m", "stream_server.cli", "scan", str(clips / "face.mp4")]
    done = subprocess.run(
        [*command, "--html", str(saved), "--models", str(tiny_models)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=240,
    )
    assert done.returncode in (0, 3), done.stderr
    context = chrome.new_context(offline=True, viewport=SMALL)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(saved.as_uri())
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    # The whole chart is on a phone's screen, its words in their full size.
    right, smallest = page.evaluate(
        """() => {
          const boxes = [...document.querySelectorAll(".timeline text, .timeline rect")].map(
            (one) => one.getBoundingClientRect()).filter((box) => box.width);
          return [Math.max(...boxes.map((box) => box.right)),
            Math.min(...[...document.querySelectorAll(".timeline text")].map(
              (text) => parseFloat(getComputedStyle(text).fontSize)))];
        }"""
    )
    assert right <= SMALL["width"] and smallest >= 12
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL["width"]
    hidden = page.get_by_text("looks at this face were good enough")
    expect(hidden).to_be_hidden()
    page.emulate_media(media="print")
    expect(hidden).to_be_visible()
    assert page.pdf()[:5] == b"%PDF-"
    context.close()
