"""A server behind a balancer is asked to stop while two videos are watched through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.overlay_view import Eye
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.support.replicas import NGINX, Replicas, running_replicas
from tests.support.server import TOKEN

Clip = Callable[[str, str], str]
pytestmark = pytest.mark.skipif(not NGINX, reason="no nginx here (Debian: nginx-light)")


@pytest.fixture
def replicas(tmp_path: Path, tiny_models: Path) -> Iterator[Replicas]:
    with running_replicas(tmp_path, "nginx", "--models", str(tiny_models)) as running:
        yield running


def judged(eye: Eye) -> bool:
    """On the live page there are two overlays: its own and the extension's."""
    chips = [chip for view in eye.overlays() for chip in view.chips]
    return any(chip.verdict != "gathering" for chip in chips)


def test_the_extension_and_the_live_page_go_on_at_the_other_server(
    browser: BrowserContext, replicas: Replicas, site: Site, clip: Clip
) -> None:
    Extension(browser).everywhere(replicas.url, TOKEN)
    watched, live = browser.new_page(), browser.new_page()
    watched.goto(site.page("/film", video_page(clip("still", "mp4"), "width:640px;height:360px")))
    live.goto(f"{replicas.url}/#token={TOKEN}")
    expect(live.locator("#server")).to_contain_text("Server ready")
    live.get_by_role("button", name="Sample clip").click()

    def where() -> list[int]:
        return [len(streams(server)) for server in replicas.servers]

    def see_verdicts() -> None:
        for page, eye in ((watched, watch(watched)), (live, watch(live))):
            page.bring_to_front()
            wait_for("a verdict", partial(judged, eye), 60)

    see_verdicts()
    counts = wait_for("all streams", lambda: sum(found := where()) == 3 and found)
    assert min(counts) == 0, "from one address all come to one server"
    stopping = replicas.servers[counts.index(3)]
    other = replicas.other(stopping)
    assert stopping.stop() == 0
    wait_for("the streams at the other server", lambda: len(streams(other)) == 3, 60)
    see_verdicts()
    wait_for("all analysed", lambda: all(one["analysed"] for one in streams(other)))
    watched.close()
    live.close()
