"""Looks into the overlay's closed shadow root, as a developer's tools can and a page cannot."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import CDPSession, Frame, Page

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class ChipView:
    """One face's label."""

    verdict: str
    label: str
    x: float
    y: float
    node: int


@dataclass(frozen=True)
class OverlayView:
    """One overlay as it is now; lengths in CSS pixels of the page."""

    left: float
    top: float
    width: float
    height: float
    badge: str | None
    recall: str | None
    card: str | None
    away: bool = False  # hidden, since the picture is elsewhere
    folded: bool = False  # the badge is a dot, its words hidden
    chips: list[ChipView] = field(default_factory=list)
    boxes: list[int] = field(default_factory=list)
    signs: list[int] = field(default_factory=list)  # those in the corner that are shown


class Eye:
    """Reads the overlays of a page, or of another site's frame in it, through the browser's
    debugging protocol."""

    def __init__(self, page: Page | Frame) -> None:
        self.page = page
        context = page.context if isinstance(page, Page) else page.page.context
        self.session: CDPSession = context.new_cdp_session(page)

    def overlays(self) -> list[OverlayView]:
        """Every overlay of the page, embedded frames of the same process included."""
        root = self.session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
        return [
            _view(node, shadow)
            for node in _walk(root)
            for shadow in node.get("shadowRoots", [])
            if shadow.get("shadowRootType") == "closed" and _by_class(shadow, "stage")
        ]

    def only(self) -> OverlayView | None:
        found = self.overlays()
        return found[0] if len(found) == 1 else None

    def box(self, view: OverlayView, index: int = 0) -> Box | None:
        """The line around a face as it is seen now, in fractions of the stage."""
        if index >= len(view.boxes):
            return None
        x, y, width, height = self.rect(view.boxes[index])
        left, top = self.page.evaluate("[scrollX, scrollY]")
        edge = 6  # room for the line inside its canvas
        return (
            (x + left + edge - view.left) / view.width,
            (y + top + edge - view.top) / view.height,
            (width - 2 * edge) / view.width,
            (height - 2 * edge) / view.height,
        )

    def by_class(self, name: str) -> list[int]:
        """The elements of a class, those in closed shadow roots too."""
        root = self.session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
        return [one["backendNodeId"] for one in _by_class(root, name)]

    def text(self, node: int) -> str:
        """What stands in an element."""
        return str(self._call(node, "function () { return this.innerText; }"))

    def rect(self, node: int) -> Box:
        """Where an element is in the window."""
        script = (
            "function () { const r = this.getBoundingClientRect();"
            " return [r.x, r.y, r.width, r.height]; }"
        )
        found = self._call(node, script)
        return (found[0], found[1], found[2], found[3])

    def is_cut(self, node: int) -> bool:
        """Whether words in an element have no room."""
        script = (
            "function () { return [this, ...this.querySelectorAll('.words, .text, .percent')]"
            ".some((one) => one.scrollWidth > one.clientWidth + 1); }"
        )
        return bool(self._call(node, script))

    def within(self, name: str, script: str) -> list[str]:
        """What ``script``, a function whose ``this`` is an element of an overlay, finds there."""
        root = self.session.send("DOM.getDocument", {"depth": -1, "pierce": True})["root"]
        return [
            told
            for one in _by_class(root, name)
            for told in self._call(one["backendNodeId"], script)
        ]

    def click(self, node: int) -> None:
        """A real click on the middle of an element."""
        x, y, width, height = self.rect(node)
        assert isinstance(self.page, Page), "a frame's own window is not the tab's"
        self.page.mouse.click(x + width / 2, y + height / 2)

    def _call(self, node: int, script: str) -> Any:
        target = self.session.send("DOM.resolveNode", {"backendNodeId": node})["object"]["objectId"]
        answer = self.session.send(
            "Runtime.callFunctionOn",
            {"objectId": target, "functionDeclaration": script, "returnByValue": True},
        )
        return answer["result"].get("value")


def _walk(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for key in ("children", "shadowRoots"):
        for child in node.get(key, []):
            yield from _walk(child)
    if "contentDocument" in node:
        yield from _walk(node["contentDocument"])


def _attributes(node: dict[str, Any]) -> dict[str, str]:
    flat = node.get("attributes", [])
    return dict(zip(flat[::2], flat[1::2], strict=True))


def _by_class(node: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [one for one in _walk(node) if name in _attributes(one).get("class", "").split()]


def _text(node: dict[str, Any]) -> str:
    parts = [one.get("nodeValue", "") for one in _walk(node) if one.get("nodeName") == "#text"]
    return " ".join(" ".join(parts).split())


def _number(style: str, name: str) -> float:
    found = re.search(rf"(?:^|[;\s]){name}:\s*(-?[\d.]+)px", style)
    return float(found[1]) if found else 0.0


def _translation(node: dict[str, Any]) -> tuple[float, float]:
    style = _attributes(node).get("style", "")
    at = re.search(r"translate\((-?[\d.]+)px,?\s*(-?[\d.]+)?", style)
    return (float(at[1]), float(at[2] or 0)) if at else (0.0, 0.0)


def _view(host: dict[str, Any], shadow: dict[str, Any]) -> OverlayView:
    style = _attributes(host).get("style", "")
    left, top = _translation(host)
    chips = []
    for layer in _by_class(shadow, "face"):
        [chip] = _by_class(layer, "chip")
        attributes = _attributes(chip)
        place, inside = _translation(layer), _translation(chip)
        chips.append(
            ChipView(
                verdict=attributes.get("data-verdict", ""),
                label=attributes.get("aria-label", ""),
                x=place[0] + inside[0],
                y=place[1] + inside[1],
                node=chip["backendNodeId"],
            )
        )
    signs: dict[str, str | None] = dict.fromkeys(("badge", "recall", "card"))
    shown = []
    folded = False
    for name in signs:
        [sign] = _by_class(shadow, name)
        folded = folded or "data-folded" in _attributes(sign)
        if "hidden" not in _attributes(sign):
            signs[name] = _text(sign)
            shown += [sign["backendNodeId"]] if name != "card" else []
    return OverlayView(
        left=left,
        top=top,
        width=_number(style, "width"),
        height=_number(style, "height"),
        badge=signs["badge"],
        recall=signs["recall"],
        card=signs["card"],
        away="visibility: hidden" in style,
        folded=folded,
        chips=chips,
        boxes=[one["backendNodeId"] for one in _by_class(shadow, "box")],
        signs=shown,
    )
