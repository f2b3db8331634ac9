"""Firefox's own window around the pages: the extension's icon, its popup, the questions asked."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.browser import wait_for
from tests.e2e.firefox import ADDON, Firefox

_POPUP = "document.querySelector('browser.webextension-popup-browser')"
_QUESTION = """[...document.querySelectorAll('popupnotification')]
  .find((one) => !one.hidden && one.id.startsWith('addon-webext-permissions'))"""
# Where the mouse goes down and up is worked out by the window itself, as for a person.
_PRESS = """((x, y) => {
  for (const type of ["mousemove", "mousedown", "mouseup"])
    window.synthesizeMouseEvent(type, x, y,
      { button: 0, clickCount: 1, buttons: type === "mousedown" ? 1 : 0 }, {});
})"""
SECONDS = 60.0


class FirefoxPopup:
    """A click on the extension's icon, and the popup that it opens."""

    def __init__(self, browser: Firefox, tab: str) -> None:
        self.browser = browser
        browser.command("browsingContext.activate", {"context": tab})
        browser.window(
            f"""(async () => {{
              const {{ ExtensionParent }} =
                ChromeUtils.importESModule("resource://gre/modules/ExtensionParent.sys.mjs");
              const {{ extension }} = WebExtensionPolicy.getByID({json.dumps(ADDON)});
              const {{ browserActionFor }} = ExtensionParent.apiManager.global;
              await browserActionFor(extension).triggerAction(window);
            }})()"""
        )
        there = (
            "document.readyState === 'complete' && !!document.querySelector('#watch')?.innerText"
        )
        wait_for("the popup", lambda: self.evaluate(there) is True, SECONDS)

    def evaluate(self, expression: str) -> Any:
        """What ``expression`` gives in the popup; None while there is none."""
        script = f"""{{ const {{ document }} = content; let found = null;
          try {{ found = {expression}; }} catch {{}}
          sendAsyncMessage("e2e", JSON.stringify(found)); }}"""
        answer = self.browser.window(
            f"""new Promise((done) => {{
              const manager = {_POPUP}?.messageManager;
              if (!manager) return done("null");
              const heard = ({{ data }}) => {{
                manager.removeMessageListener("e2e", heard);
                done(data);
              }};
              manager.addMessageListener("e2e", heard);
              manager.loadFrameScript("data:," + encodeURIComponent({json.dumps(script)}), false);
              setTimeout(() => done("null"), 30_000);
            }})"""
        )
        return json.loads(answer)

    def text(self, selector: str = "body") -> str:
        return self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText") or ""

    def click(self, selector: str) -> None:
        rect = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        at = self.evaluate(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])({rect})"
        )
        self.browser.window(
            f"""((at) => {{ const {{ x, y }} = {_POPUP}.getBoundingClientRect();
              {_PRESS}(x + at[0], y + at[1]); }})({json.dumps(at)})"""
        )

    def close(self) -> None:
        self.browser.window(f"{_POPUP}?.closest('panel').hidePopup()")
        wait_for("the popup to close", lambda: self.browser.window(f"!{_POPUP}"), SECONDS)


def icon_title(browser: Firefox) -> str:
    """What the extension's icon says of the tab in front."""
    title: str = browser.window(
        f"""(() => {{
          const {{ ExtensionParent }} =
            ChromeUtils.importESModule("resource://gre/modules/ExtensionParent.sys.mjs");
          const {{ extension }} = WebExtensionPolicy.getByID({json.dumps(ADDON)});
          const {{ action }} = ExtensionParent.apiManager.global.browserActionFor(extension);
          return action.getProperty(gBrowser.selectedTab, "title");
        }})()"""
    )
    return title


def choose_in_menu(browser: Firefox, tab: str, selector: str, label: str) -> None:
    """Right-click on an element of the page, and click on ``label`` in the browser's menu."""
    browser.command("browsingContext.activate", {"context": tab})
    rect = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
    at = browser.evaluate(
        tab, f"JSON.stringify((r => [r.x + r.width / 2, r.y + r.height / 2])({rect}))"
    )
    browser.window(
        f"""(() => {{
          const [x, y] = {at};
          const page = gBrowser.selectedBrowser.getBoundingClientRect();
          for (const type of ["mousedown", "mouseup", "contextmenu"])
            window.synthesizeMouseEvent(type, page.x + x, page.y + y,
              {{ button: 2, clickCount: 1, buttons: type === "mousedown" ? 2 : 0 }}, {{}});
        }})()"""
    )
    menu = "document.getElementById('contentAreaContextMenu')"
    item = f"[...{menu}.querySelectorAll('menuitem')].find((o) => o.label === {json.dumps(label)})"
    ready = f"{menu}.state === 'open' && Boolean({item}) && !{item}.hidden"
    wait_for("the menu", lambda: browser.window(ready), SECONDS)
    browser.window(f"void {menu}.activateItem({item})")


def allow(browser: Firefox) -> str:
    """Press the first button of the browser's question for permissions; what it asked."""
    ready = f"PopupNotifications.panel.state === 'open' && {_QUESTION}?.textContent"
    asked: str = wait_for("the browser's question", lambda: browser.window(ready), SECONDS)
    browser.window(
        f"""(() => {{ const {{ x, y, width, height }} = {_QUESTION}.button.getBoundingClientRect();
          {_PRESS}(x + width / 2, y + height / 2); }})()"""
    )
    wait_for("the question to go", lambda: browser.window(f"!({_QUESTION})") is True, SECONDS)
    return asked
