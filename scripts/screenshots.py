"""Takes the pictures that the stores show: ``python -m scripts.screenshots``.

A real server with the models that ship, a real Chromium with the extension, the sample clip. Each
is 1280 by 800, which Chrome's store asks for and Mozilla's shows best; as JPEG, since a store shows
no PNG with an alpha channel. Run it on a machine that has nothing else to do: what is in the
pictures is what the models said in time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from scripts.icons import STORE
from stream_server.resources import sample_clip
from tests.e2e.browser import Extension, extension_with_consent, launch, wait_for, watch
from tests.e2e.overlay_view import Eye, OverlayView
from tests.e2e.site import Site
from tests.support.server import TOKEN, Server, start_server

SIZE = (1280, 800)
_FAKED_FROM, _FAKED_TO = 11, 19  # seconds of the sample in which its face is surely faked
_PATIENCE = 180.0
ARTICLE = """<!doctype html><html lang="en"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>The Morning Wire</title>
<style>
  body { margin: 0; background: #f6f5f1; color: #1c1c1c; font: 16px/1.5 Georgia, serif; }
  header { background: #fff; border-bottom: 1px solid #ddd; padding: 14px 48px; }
  header b { font-size: 24px; } header span { color: #666; margin-left: 28px; }
  main { display: grid; grid-template-columns: 800px 1fr; gap: 36px; padding: 22px 48px; }
  h1 { margin: 0 0 12px; font-size: 30px; line-height: 1.2; grid-column: 1 / -1; }
  video { width: 800px; border-radius: 4px; background: #000; display: block; }
  @media (max-width: 1000px) { header span { display: none; }
    main { display: block; padding: 16px; } header { padding: 14px 16px; }
    video { width: 100%; margin-bottom: 16px; } }
  aside { font-size: 15px; color: #444; } aside p { margin: 0 0 14px; }
</style>
<header><b>The Morning Wire</b><span>World</span><span>Science</span><span>Video</span></header>
<main><h1>Astronaut answers questions from the launch pad</h1>
<video src="/sample.mp4" muted loop autoplay></video>
<aside><p>The clip has been shared more than two million times since last night.</p>
<p>Nobody at the agency could say this morning where it was recorded, or by whom.</p>
<p>We have asked the astronaut's office, and shall add its answer here.</p></aside></main></html>"""


def main() -> None:
    """Take them all."""
    STORE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        folder = Path(name)
        site = Site(folder)
        site.files["/sample.mp4"] = sample_clip()
        server = start_server(folder / "server")
        copy = extension_with_consent(folder / "extension")
        view = {"width": SIZE[0], "height": SIZE[1]}
        try:
            with launch(playwright, folder / "profile", site.port, copy, viewport=view) as context:
                extension = Extension(context)
                extension.everywhere(server.url, TOKEN)
                _on_a_page(context, site.page("/article.html", ARTICLE))
                extension.command({"type": "set-all-sites", "on": False})
                _live_page(context, server)
                _scan_page(context, server)
                _dark_options(context, extension)
        finally:
            server.stop()
            site.close()


def _on_a_page(context: BrowserContext, address: str) -> None:
    """What a viewer sees: the label, and the card that opens from it."""
    page = context.new_page()
    page.goto(address)
    eye = watch(page)

    seen = faked_passage(page, partial(flagged, eye))
    _shoot(page, "1-on-a-page")
    eye.click(seen.chips[0].node)
    wait_for("the card", lambda: (now := eye.only()) and now.card, _PATIENCE)
    page.wait_for_timeout(600)
    _shoot(page, "2-details")
    page.close()


def _live_page(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/#token={TOKEN}")
    page.get_by_role("button", name="Sample clip").click()
    eye = watch(page)

    faked_passage(page, partial(flagged, eye))
    _shoot(page, "3-live-page")
    page.close()


def _scan_page(context: BrowserContext, server: Server) -> None:
    page = context.new_page()
    page.goto(f"{server.url}/scan")
    page.locator("input[type=file]").set_input_files(sample_clip())
    expect(page.get_by_role("link", name="report").first).to_be_visible(timeout=_PATIENCE * 1000)
    page.wait_for_timeout(600)
    _shoot(page, "4-check-a-file")
    page.close()


def _dark_options(context: BrowserContext, extension: Extension) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto(extension.address("options/options.html"))
    page.wait_for_timeout(1500)
    _shoot(page, "5-settings")
    page.close()


def flagged(eye: Eye) -> OverlayView | None:
    """The overlay, if it warns."""
    seen = eye.only()
    return seen if seen and any(one.verdict == "likely_fake" for one in seen.chips) else None


def faked_passage(page: Page, look: Callable[[], OverlayView | None]) -> OverlayView:
    """Play the faked passage over and over until ``look`` sees what is wanted."""
    script = f"""() => {{
        const video = document.querySelector("video");
        if (video && video.readyState > 1 && (video.currentTime < {_FAKED_FROM - 1} ||
            video.currentTime > {_FAKED_TO})) video.currentTime = {_FAKED_FROM};
        return video?.currentTime ?? 0;
    }}"""

    def now() -> OverlayView | None:
        page.evaluate(script)
        return look()

    found: OverlayView = wait_for("a verdict of likely fake", now, _PATIENCE)
    return found


def _shoot(page: Page, name: str) -> None:
    path = STORE / f"shot-{name}.jpg"
    page.screenshot(path=path, type="jpeg", quality=88)
    print(path)


if __name__ == "__main__":
    main()
