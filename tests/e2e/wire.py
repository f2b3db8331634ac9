"""The frames that the extension's relay sends, as the browser's network log has them."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

from tests.e2e.browser import wait_for


@dataclass(frozen=True)
class SentFrame:
    """A frame's header and the bytes of its message."""

    header: dict[str, Any]
    size: int

    @property
    def parts(self) -> list[list[int]]:
        """Left, top, width and height of each part of the video that it names."""
        return [part["of"] for part in self.header.get("rect", {}).get("parts", [])]


class Wire:
    """Hears what is sent from now on, by the relay frame of a page."""

    def __init__(self, page: Page) -> None:
        self.frames: list[SentFrame] = []
        self._page = page
        relay = wait_for(
            "the relay", lambda: next((f for f in page.frames if "relay" in f.url), None)
        )
        self._session = page.context.new_cdp_session(relay)
        self._session.on("Network.webSocketFrameSent", self._sent)
        self._session.send("Network.enable")

    def next(self, count: int, seconds: float = 60) -> list[SentFrame]:
        """As many frames, sent from now on."""
        self.frames.clear()

        def enough() -> bool:
            self._page.wait_for_timeout(50)  # events come while the page is waited for
            return len(self.frames) >= count

        wait_for(f"{count} frames", enough, seconds)
        return list(self.frames)

    def _sent(self, event: dict[str, Any]) -> None:
        if event["response"]["opcode"] != 2:
            return
        data = base64.b64decode(event["response"]["payloadData"])
        (length,) = struct.unpack_from("<I", data)
        self.frames.append(SentFrame(json.loads(data[4 : 4 + length]), len(data)))
