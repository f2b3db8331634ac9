"""Looks into the overlay's closed shadow root in Firefox, as its developer tools can."""

from __future__ import annotations

from dataclasses import dataclass

from tests.e2e.firefox import Firefox
from tests.e2e.overlay_view import Box

_EDGE = 6  # room for the line inside its canvas
_READ = """(root) => {
  if (!root.querySelector(".stage")) return null;
  const rect = (element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return [x, y, width, height];
  };
  const badge = root.querySelector(".badge");
  return {
    stage: rect(root.host),
    away: root.host.style.visibility === "hidden",
    badge: badge && !badge.hidden ? badge.innerText : null,
    verdicts: [...root.querySelectorAll(".chip")].map(({ dataset }) => dataset.verdict),
    boxes: [...root.querySelectorAll(".box")].map(rect),
  };
}"""


@dataclass(frozen=True)
class FirefoxOverlay:
    """One overlay as it is now; ``stage`` in CSS pixels of the window, boxes in fractions of it."""

    stage: Box
    badge: str | None
    verdicts: list[str]
    boxes: list[Box]
    away: bool  # hidden, since the picture is elsewhere


def overlays(browser: Firefox, context: str) -> list[FirefoxOverlay]:
    """Every overlay of a page or frame, from the top down and from left to right."""
    found = []
    for host in browser.find(context, "[...document.querySelectorAll('div[popover=manual]')]"):
        root = (host["value"].get("shadowRoot") or {}).get("sharedId")
        seen = browser.call(context, _READ, root) if root else None
        if not seen:
            continue
        x, y, width, height = seen["stage"]
        boxes = [
            (
                (left + _EDGE - x) / width,
                (top + _EDGE - y) / height,
                (across - 2 * _EDGE) / width,
                (down - 2 * _EDGE) / height,
            )
            # A tile that is being laid out anew has no size for a moment, and shows no box.
            for left, top, across, down in (seen["boxes"] if width and height else [])
        ]
        stage = (x, y, width, height)
        found.append(
            FirefoxOverlay(stage, seen["badge"], seen["verdicts"], sorted(boxes), seen["away"])
        )
    return sorted(found, key=lambda one: (one.stage[1], one.stage[0]))
