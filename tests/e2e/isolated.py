"""Runs script in the extension's own world of a page, where its content script lives."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.e2e.browser import Extension


class ContentWorld:
    """The content script's world of a page's main frame, once the script is there."""

    def __init__(self, page: Page, extension: Extension) -> None:
        self.session = page.context.new_cdp_session(page)
        self.origin = f"chrome-extension://{extension.id}"
        self.contexts: list[int] = []
        tree = self.session.send("Page.getFrameTree")["frameTree"]
        self.frame: str = tree["frame"]["id"]
        self.session.on("Runtime.executionContextCreated", self._created)
        self.session.on("Runtime.executionContextsCleared", lambda _: self.contexts.clear())
        self.session.send("Runtime.enable")

    def _created(self, event: dict[str, Any]) -> None:
        context = event["context"]
        # Of the page itself: its embedded frames have worlds of their own.
        if context["origin"] == self.origin and context["auxData"]["frameId"] == self.frame:
            self.contexts.append(context["id"])

    def evaluate(self, expression: str) -> Any:
        assert self.contexts, "the extension has no world in this page"
        answer = self.session.send(
            "Runtime.evaluate",
            {
                "expression": expression,
                "contextId": self.contexts[-1],
                "awaitPromise": True,
                "returnByValue": True,
            },
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")
