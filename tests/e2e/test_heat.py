"""The details card shows where the evidence lies, in a real browser."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright

from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.overlay_view import Eye, OverlayView
from tests.e2e.site import Site, video_page
from tests.support.server import TOKEN, Server, start_server
from tests.support.tiny_repository import tiny_repository

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    models = tiny_repository(tmp_path_factory.mktemp("models"), maps=True)
    running = start_server(tmp_path_factory.mktemp("server"), "--models", str(models))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def browser(
    playwright: Playwright, site: Site, mapped: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    folder = tmp_path_factory.mktemp("browser")
    copy = extension_with_consent(folder / "extension")
    with launch(playwright, folder / "profile", site.port, copy) as context:
        Extension(context).everywhere(mapped.url, TOKEN)
        yield context


def judged(eye: Eye) -> OverlayView | None:
    view = eye.only()
    return view if view and view.chips and view.chips[0].verdict != "gathering" else None


def inside(eye: Eye, selector: str, script: str) -> Any:
    """What ``script`` gives on an element of the overlay's closed root; ``None`` without one."""
    root = eye.session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
    stack = [root]
    while stack:
        node = stack.pop()
        for shadow in node.get("shadowRoots", []):
            if shadow.get("shadowRootType") == "closed":
                asked = {"nodeId": shadow["nodeId"], "selector": selector}
                found = eye.session.send("DOM.querySelector", asked)["nodeId"]
                if found:
                    which = eye.session.send("DOM.resolveNode", {"nodeId": found})["object"]
                    call = {
                        "objectId": which["objectId"],
                        "functionDeclaration": script,
                        "returnByValue": True,
                    }
                    answer = eye.session.send("Runtime.callFunctionOn", call)
                    return answer["result"].get("value")
        stack += node.get("children", []) + node.get("shadowRoots", [])
        if "contentDocument" in node:
            stack.append(node["contentDocument"])
    return None


# Two halves of one picture: the face, and the same with the heat over it.
HALVES = """function () {
  if (this.hidden || !this.width) return null;
  const context = this.getContext("2d");
  const side = this.height;
  const plain = context.getImageData(0, 0, side, side).data;
  const over = context.getImageData(this.width - side, 0, side, side).data;
  let spread = 0, change = 0;
  for (let i = 0; i < plain.length; i += 4) {
    spread = Math.max(spread, Math.abs(plain[i] - plain[0]));
    change += Math.abs(plain[i] - over[i]) / (plain.length / 4);
  }
  return [spread, change];
}"""


def test_the_card_shows_the_heat_and_the_video_only_when_asked(
    page: Page, site: Site, clip: Clip
) -> None:
    page.goto(site.page("/heat", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    view = wait_for("a verdict", lambda: judged(eye))
    eye.click(view.chips[0].node)
    wait_for("the card", lambda: (v := eye.only()) and v.card)
    assert "Show where the evidence lies" in (eye.only() or view).card
    assert inside(eye, ".heat canvas", HALVES) is None, "nothing is drawn before it is asked for"
    inside(eye, ".heat button", "function () { this.focus(); this.click(); }")
    spread, change = wait_for("the picture", lambda: inside(eye, ".heat canvas", HALVES))
    assert spread > 60, "the left half shows no face"
    assert change > 8, "the right half shows no heat"
    hint = "a hint where to look, not a proof"
    wait_for(
        "the words",
        lambda: (v := eye.only()) and v.card and hint in v.card and "Look again" in v.card,
    )
    kept = "function () { return this.getRootNode().activeElement === this; }"
    page.wait_for_timeout(1200)  # the card is filled anew twice a second
    assert inside(eye, ".heat button", kept), "the button lost the focus"
    covered = """function () {
      const r = this.getBoundingClientRect();
      return this.hidden ? null : [r.x, r.y, r.width, r.height];
    }"""
    assert inside(eye, ".heat-over", covered) is None
    inside(eye, ".heat input", "function () { this.click(); }")
    x, y, width, height = wait_for("the heat", lambda: inside(eye, ".heat-over", covered))
    view = wait_for("the box", lambda: judged(eye))
    left, top, box_width, box_height = eye.rect(view.boxes[0])
    assert abs(x + width / 2 - left - box_width / 2) < box_width / 3
    assert abs(y + height / 2 - top - box_height / 2) < box_height / 3
    assert width > 0.8 * box_width
    if folder := os.environ.get("E2E_PICTURES"):
        page.screenshot(path=Path(folder) / "heat.png")
    page.keyboard.press("Escape")
    wait_for("the heat to go", lambda: inside(eye, ".heat-over", covered) is None)


def test_models_without_maps_are_said_in_words(
    page: Page, site: Site, clip: Clip, browser: BrowserContext, server: Server, mapped: Server
) -> None:
    extension = Extension(browser)
    extension.everywhere(server.url, TOKEN)
    try:
        page.goto(site.page("/none", video_page(clip("still", "mp4"), STYLE)))
        eye = watch(page)
        view = wait_for("a verdict", lambda: judged(eye))
        eye.click(view.chips[0].node)
        wait_for("the card", lambda: (v := eye.only()) and v.card)
        inside(eye, ".heat button", "function () { this.click(); }")
        wait_for(
            "the reason",
            lambda: (v := eye.only()) and v.card and "without heat maps" in v.card,
        )
        assert inside(eye, ".heat canvas", HALVES) is None
    finally:
        extension.everywhere(mapped.url, TOKEN)
