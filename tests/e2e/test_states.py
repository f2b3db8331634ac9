"""What the person is told while there is no verdict: no face, no server, no clear picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.support.server import TOKEN, Server, free_port, start_server

Clip = Callable[[str, str], str]
STYLE = "width:640px;height:360px"


def badge(eye: Eye) -> str:
    view = eye.only()
    return (view.badge or "") if view else ""


def judged(eye: Eye) -> bool:
    view = eye.only()
    return view is not None and any(chip.verdict != "gathering" for chip in view.chips)


def test_no_face_is_said_and_then_kept_small(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    page.goto(site.page("/empty", video_page(clip("empty", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("the word", lambda: "No face in view" in badge(eye))
    view = eye.only()
    assert view is not None
    assert view.chips == []


def test_why_there_is_no_verdict_is_in_the_label_and_the_card(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    page.goto(site.page("/blurred", video_page(clip("blurred", "mp4"), STYLE)))
    eye = watch(page)

    def abstained() -> int | None:
        view = eye.only()
        found = [c for c in view.chips if c.verdict == "not_enough_evidence"] if view else []
        return found[0].node if found and "Cannot tell:" in found[0].label else None

    node = wait_for("an abstention", abstained)
    eye.click(node)
    card = wait_for("the card", lambda: (v := eye.only()) and v.card)
    assert "Why no clear answer" in card
    assert "blurred" in card
    assert "%" not in card.split("Probability of manipulation")[0], "no figure without evidence"


def test_lost_server_is_said_and_found_again(
    page: Page,
    site: Site,
    clip: Clip,
    extension: Extension,
    server: Server,
    tmp_path: Path,
    tiny_models: Path,
) -> None:
    port = free_port()
    first = start_server(tmp_path, "--models", str(tiny_models), port=port)
    try:
        extension.store({"server": first.url, "token": TOKEN})
        page.goto(site.page("/lost", video_page(clip("still", "mp4"), STYLE)))
        eye = watch(page)
        wait_for("a verdict", lambda: judged(eye))
    finally:
        first.stop()
    wait_for("the word", lambda: "does not answer" in badge(eye))
    assert not judged(eye), "no verdict of the past stays on the screen"
    second = start_server(tmp_path, "--models", str(tiny_models), port=port)
    try:
        wait_for("a verdict again", lambda: judged(eye), seconds=90)
    finally:
        extension.store({"server": server.url})
        second.stop()


def test_browser_that_is_not_paired_is_told_so_on_the_video(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    extension.store({"token": ""})
    try:
        page.goto(site.page("/unpaired", video_page(clip("still", "mp4"), STYLE)))
        eye = watch(page)
        wait_for("the word", lambda: "Not paired" in badge(eye))
    finally:
        extension.store({"token": TOKEN})
    # The open page notices by itself.
    wait_for("a verdict after pairing", lambda: judged(eye))


def test_wrong_token_is_told_on_the_video(
    page: Page, site: Site, clip: Clip, extension: Extension
) -> None:
    extension.store({"token": "somebody-elses-token-000"})
    try:
        page.goto(site.page("/wrong", video_page(clip("still", "mp4"), STYLE)))
        eye = watch(page)
        wait_for("the word", lambda: "Not paired" in badge(eye))
    finally:
        extension.store({"token": TOKEN})
