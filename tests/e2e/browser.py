"""Starts Chromium with the unpacked extension and drives the extension's own pages."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Frame, Page, Playwright, Worker

from tests.e2e.overlay_view import Eye
from tests.support.paths import EXTENSION

WELCOME = "/welcome/welcome.html"


def chromium() -> str | None:
    """Path of an installed Chromium or Chrome."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


def extension_with_consent(target: Path) -> Path:
    """A copy of the extension whose optional permissions are granted from the start.

    A browser asks the person for them in a window that no test can click. Nothing else differs.
    """
    shutil.copytree(EXTENSION, target)
    manifest = json.loads((target / "manifest.json").read_text())
    manifest["host_permissions"] = manifest.pop("optional_host_permissions")
    manifest["permissions"] += manifest.pop("optional_permissions")
    (target / "manifest.json").write_text(json.dumps(manifest))
    return target


@contextmanager
def launch(
    playwright: Playwright,
    profile: Path,
    public_port: int,
    extension: Path | None = None,
    more: tuple[str, ...] = (),
    first_run: bool = False,
    language: str = "en",
    **options: Any,
) -> Iterator[BrowserContext]:
    """A browser for which ``*.test`` on ``public_port`` lies on the public internet.

    The page that the extension opens once it is installed is closed, unless ``first_run``. It
    speaks ``language``, whatever the machine does.
    """
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--enable-unsafe-extension-debugging",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--autoplay-policy=no-user-gesture-required",
        # A server of the person's own, at the usual port, hears nothing of it: nobody is at port 9.
        "--host-resolver-rules=MAP *.test 127.0.0.1, MAP 127.0.0.1:8765 127.0.0.1:9",
        f"--ip-address-space-overrides=127.0.0.1:{public_port}=public",
        f"--lang={language}",
        *more,
    ]
    if extension is not None:
        flags += [f"--disable-extensions-except={extension}", f"--load-extension={extension}"]
    context = playwright.chromium.launch_persistent_context(
        profile,
        executable_path=chromium(),
        headless=True,
        args=flags,
        ignore_default_args=[
            "--disable-extensions",
            "--headless",
            "--disable-back-forward-cache",
        ],
        env={**os.environ, "LANGUAGE": language, "LANG": f"{language}.UTF-8", "LC_ALL": ""},
        **{"viewport": {"width": 1000, "height": 700}, **options},
    )
    context.set_default_timeout(60_000)
    try:
        if extension is not None and not first_run:
            welcome_page(context).close()
        yield context
    finally:
        context.close()


def welcome_page(context: BrowserContext) -> Page:
    """The page that the extension opens by itself, once it is installed."""
    blank = context.pages[0]

    def look() -> Page | None:
        blank.wait_for_timeout(50)  # or nothing would be heard of new pages
        return next((one for one in context.pages if one.url.endswith(WELCOME)), None)

    found: Page = wait_for("the page of the first steps", look, 90, every=0)
    return found


class Extension:
    """The loaded extension: its service worker and its pages."""

    def __init__(self, context: BrowserContext) -> None:
        self.context = context
        workers = context.service_workers
        self.worker: Worker = workers[0] if workers else context.wait_for_event("serviceworker")
        self.id = self.worker.url.split("/")[2]

    def address(self, path: str) -> str:
        return f"chrome-extension://{self.id}/{path}"

    def store(self, values: dict[str, Any]) -> None:
        """Set settings as the options page does."""
        self.worker.evaluate("values => chrome.storage.local.set(values)", values)

    def stored(self) -> dict[str, Any]:
        found: dict[str, Any] = self.worker.evaluate("chrome.storage.local.get()")
        return found

    def command(self, message: dict[str, Any]) -> Any:
        """Send the service worker a message from the extension's own options page."""
        page = self.context.new_page()
        try:
            page.goto(self.address("options/options.html"))
            return page.evaluate("message => chrome.runtime.sendMessage(message)", message)
        finally:
            page.close()

    def everywhere(self, server: str, token: str) -> None:
        """Pair by a pasted token and turn all sites on."""
        self.store({"server": server, "token": token})
        self.command({"type": "set-all-sites", "on": True})

    def tab_id(self, address: str) -> int:
        found: int = self.worker.evaluate(
            "async address => (await chrome.tabs.query({})).find(tab => tab.url === address)?.id",
            address,
        )
        return found


class Consent:
    """The person's answer to the browser's question for a site.

    The browser asks in a window that no test can click. A site that the person has added on the
    browser's own page of extensions is given without that window once the extension asks for it.
    """

    def __init__(self, context: BrowserContext, extension: Extension) -> None:
        self.extension = extension
        self.page = context.new_page()
        self.page.goto("chrome://extensions", wait_until="commit", timeout=90_000)

    def _call(self, method: str, pattern: str) -> None:
        script = f"([id, pattern]) => chrome.developerPrivate.{method}(id, pattern)"
        self.page.evaluate(script, [self.extension.id, pattern])

    def prepare(self, pattern: str) -> None:
        """Yes, when the extension asks for ``pattern``."""
        self._call("addHostPermission", pattern)

    def take_back(self, pattern: str) -> None:
        """What the person can do on the browser's own page at any time."""
        self._call("removeHostPermission", pattern)

    def granted(self) -> list[str]:
        script = "async () => (await chrome.permissions.getAll()).origins"
        found: list[str] = self.extension.worker.evaluate(script)
        return sorted(found)


class OwnPage:
    """A page of the extension that is in no tab: its popup, or the one that has tabs' pictures."""

    def __init__(self, page: Page) -> None:
        """``page``: of the same browser, which waits meanwhile."""
        assert page.context.browser is not None
        self.page = page
        self.session = page.context.browser.new_browser_cdp_session()
        self.answers: dict[int, Any] = {}
        self.count = 0

    def _attach(self, kind: str, address: str) -> None:
        target = wait_for(
            address,
            lambda: next((one for one in self._targets(kind) if one["url"] == address), None),
        )
        self.session.on("Target.receivedMessageFromTarget", self._receive)
        attached = self.session.send(
            "Target.attachToTarget", {"targetId": target["targetId"], "flatten": False}
        )
        self.target: str = attached["sessionId"]

    def _targets(self, kind: str) -> list[dict[str, Any]]:
        found = self.session.send("Target.getTargets", {"filter": [{"type": kind}]})
        infos: list[dict[str, Any]] = found["targetInfos"]
        return infos

    def _receive(self, event: dict[str, Any]) -> None:
        message = json.loads(event["message"])
        if "id" in message:
            self.answers[message["id"]] = message

    def send(self, method: str, params: dict[str, Any]) -> Any:
        self.count += 1
        number = self.count
        message = json.dumps({"id": number, "method": method, "params": params})
        self.session.send(
            "Target.sendMessageToTarget", {"sessionId": self.target, "message": message}
        )

        def answered() -> Any:
            self.page.wait_for_timeout(10)  # or nothing would be heard of it
            return self.answers.pop(number, None)

        answer = wait_for(f"the answer to {method}", answered, 90, every=0)
        assert "error" not in answer, answer
        return answer["result"]

    def evaluate(self, expression: str) -> Any:
        """Run ``expression`` in the page, as if by a click of the person."""
        options = {"awaitPromise": True, "returnByValue": True, "userGesture": True}
        answer = self.send("Runtime.evaluate", {"expression": expression, **options})
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")


class PicturesOfTabs(OwnPage):
    """The extension's hidden page that has the pictures of tabs, once a tab is looked at."""

    def __init__(self, extension: Extension, page: Page) -> None:
        super().__init__(page)
        self._attach("background_page", extension.address("offscreen/page.html"))


class ToolbarPopup(OwnPage):
    """A real click on the extension's icon in the toolbar, and the popup that it opens."""

    def __init__(self, context: BrowserContext, extension: Extension, page: Page) -> None:
        super().__init__(page)
        page.bring_to_front()
        [tab] = [one for one in self._targets("tab") if one["url"] == page.url]
        self.session.send(
            "Extensions.triggerAction", {"id": extension.id, "targetId": tab["targetId"]}
        )
        self._attach("page", extension.address("popup/popup.html"))
        # The target is there before its document is: a person does not click into the void either.
        wait_for("the popup's document", self._loaded)

    def _loaded(self) -> bool:
        there = (
            "document.readyState === 'complete' && !!document.querySelector('#watch')?.textContent"
        )
        answer = self.send("Runtime.evaluate", {"expression": there, "returnByValue": True})
        return answer["result"].get("value") is True

    def click(self, selector: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    def text(self, selector: str = "body") -> str:
        found: str = self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText")
        return found

    def screenshot(self, path: Path) -> None:
        """The whole popup as a PNG."""
        shot = self.send("Page.captureScreenshot", {"captureBeyondViewport": True})
        path.write_bytes(base64.b64decode(shot["data"]))


def wait_for(what: str, look: Callable[[], Any], seconds: float = 60, every: float = 0.1) -> Any:
    """Look again and again until there is something; fail saying ``what`` never came."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come within {seconds:g} s; last seen: {found!r}")
        time.sleep(every)


def at_rest(page: Page, read: Callable[[], Any]) -> Any:
    """What ``read`` gives once it has not changed for a second: what was under way has arrived."""

    def same() -> list[Any]:
        before = read()
        page.wait_for_timeout(1000)
        return [before] if read() == before else []

    return wait_for("a rest", same)[0]


def watch(page: Page | Frame) -> Eye:
    return Eye(page)
