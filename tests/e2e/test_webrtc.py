"""The extension sends its pictures over WebRTC, and the boxes are those of the frames it sent."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.e2e.browser import Extension, wait_for, watch
from tests.e2e.conftest import TOKEN, Server
from tests.e2e.site import Site, video_page
from tests.e2e.test_overlay import STYLE, box_on_face, judged

Clip = Callable[[str, str], str]


def streams(server: Server) -> list[dict]:
    request = urllib.request.Request(
        server.address + "/v1/streams", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


@pytest.fixture
def over_webrtc(extension: Extension, server: Server) -> Iterator[Extension]:
    extension.store({"transport": "webrtc", "server": server.address, "token": TOKEN})
    yield extension
    extension.store({"transport": "auto", "server": server.address, "token": TOKEN})


def test_the_overlay_comes_up_over_webrtc(
    page: Page, site: Site, clip: Clip, over_webrtc: Extension, server: Server
) -> None:
    page.goto(site.page("/webrtc", video_page(clip("still", "mp4"), STYLE)))
    eye = watch(page)
    wait_for("a verdict", lambda: judged(eye))
    assert box_on_face(eye, 150)
    print(streams(server))
    print(server.said[-2000:])
