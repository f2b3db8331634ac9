"""What a person at the keyboard comes to: what has the focus, as a screen reader names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

_CODES = {"Tab": 9, "Enter": 13, "Escape": 27}
Send = Callable[[str, dict[str, Any]], Any]


class Keyboard:
    """Presses keys in a page and tells where the focus is, closed shadow roots included."""

    def __init__(self, send: Send) -> None:
        """``send``: a command of the browser's debugging protocol to that page."""
        self._send = send

    @staticmethod
    def of(page: Page) -> Keyboard:
        session = page.context.new_cdp_session(page)
        return Keyboard(lambda method, params: session.send(method, params))

    def press(self, key: str, shift: bool = False) -> str:
        """Press a key; what has the focus then."""
        code = _CODES[key]
        both = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
        text = {"text": "\r"} if key == "Enter" else {}
        down = "keyDown" if text else "rawKeyDown"
        self._send("Input.dispatchKeyEvent", {"type": down, **both, **text})
        self._send("Input.dispatchKeyEvent", {"type": "keyUp", **both})
        return self.focused()

    def focused(self) -> str:
        """Role and name of what has the focus; empty where nothing in particular has."""
        nodes = self._send("Accessibility.getFullAXTree", {})["nodes"]
        found = [one for one in nodes if _has_focus(one) and _role(one) != "RootWebArea"]
        return f"{_role(found[-1])}: {found[-1]['name']['value']}" if found else ""

    def walk(self, most: int = 60) -> list[str]:
        """All that the Tab key comes to, once round the page from where the focus is."""
        found: list[str] = []
        for _ in range(most):
            stop = self.press("Tab")
            if not stop or stop in found:
                break
            found.append(stop)
        return found


def _has_focus(node: dict[str, Any]) -> bool:
    return any(
        one["name"] == "focused" and one["value"]["value"] for one in node.get("properties", [])
    )


def _role(node: dict[str, Any]) -> str:
    return str(node["role"]["value"])


def in_order(wanted: list[str], found: list[str]) -> bool:
    """Whether ``found`` comes to all of ``wanted``, in that order."""
    stops = iter(found)
    return all(one in stops for one in wanted)
