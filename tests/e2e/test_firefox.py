"""The same folder in Firefox: it pairs, watches, and keeps pages out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.browser import extension_with_consent, wait_for
from tests.e2e.firefox import firefox, launch_firefox
from tests.e2e.site import Site, video_page
from tests.e2e.streams import streams
from tests.e2e.test_pairing import digits, shown_so_far
from tests.e2e.test_trust import SOCKET
from tests.support.paths import EXTENSION
from tests.support.server import TOKEN, Server

Clip = Callable[[str, str], str]
pytestmark = [
    pytest.mark.skipif(firefox() is None, reason="no Firefox on the PATH"),
    pytest.mark.timeout(180),
]
PAIRED = "document.querySelector('#pair-state').textContent.includes('Connected')"


def test_firefox_pairs_with_no_permission_for_any_site(tmp_path: Path, server: Server) -> None:
    with launch_firefox(tmp_path, EXTENSION) as browser:
        tab = browser.open(f"{browser.addon}/options/options.html")
        settings = json.dumps({"server": server.url})
        browser.evaluate(tab, f"chrome.storage.local.set({settings})")
        before = shown_so_far(server)
        browser.evaluate(tab, "document.querySelector('#pair-start').click()")
        code = digits(server, before)
        wait_for(
            "the field",
            lambda: browser.evaluate(tab, "!document.querySelector('#pair-form').hidden"),
        )
        browser.evaluate(
            tab,
            f"document.querySelector('#code').value = '{code}';"
            " document.querySelector('#pair-form').requestSubmit()",
        )
        wait_for("the pairing", lambda: browser.evaluate(tab, PAIRED))


def test_firefox_judges_two_faces_and_keeps_the_page_out(
    tmp_path: Path, server: Server, site: Site, clip: Clip
) -> None:
    copy = extension_with_consent(tmp_path / "extension")
    with launch_firefox(tmp_path, copy) as browser:
        options = browser.open(f"{browser.addon}/options/options.html")
        settings = json.dumps({"server": server.url, "token": TOKEN})
        browser.evaluate(options, f"chrome.storage.local.set({settings})")
        browser.evaluate(options, "chrome.runtime.sendMessage({ type: 'set-all-sites', on: true })")
        site.page("/firefox", video_page(clip("couple", "webm"), "width:640px;height:360px"))
        page = browser.open(site.address("/firefox", host="127.0.0.1"))

        def judged() -> bool:
            return any(
                len([f for f in one["faces"] if f["probability"] is not None]) == 2
                for one in streams(server)
            )

        wait_for("two verdicts", judged, seconds=40)
        seen = browser.evaluate(page, "window.length + document.querySelectorAll('canvas').length")
        assert seen == 0, "the page sees the relay or the overlay"
        target = json.dumps([f"ws://127.0.0.1:{server.port}/v1/stream", TOKEN])
        assert browser.evaluate(page, f"({SOCKET})({target})") in ("closed", "refused")
