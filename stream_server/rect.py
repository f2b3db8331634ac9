"""``rect``: which parts of a video a frame's picture shows; see docs/protocol.md."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

MAX_PARTS = 16
_STRETCHED = 0.05  # by which a part may be wider or higher than it is in the video
_ROUNDED = 1.0  # pixels

Side = Annotated[int, Field(strict=True, ge=1, le=65535)]
Edge = Annotated[int, Field(strict=True, ge=0, le=65534)]
Place = tuple[Edge, Edge, Side, Side]
"""Left, top, width and height in pixels."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Part(_Fields):
    """A part of the video: where it lies in it (``of``), and where in the picture (``at``); without
    ``at`` it is the whole picture."""

    of: Place
    at: Place | None = None


class Rect(_Fields):
    """``video`` is the video's width and height in its own pixels."""

    video: tuple[Side, Side]
    parts: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS)]

    def problem(self, width: int, height: int) -> str | None:
        """What keeps a picture of that size from being what it says; ``None`` if nothing does."""
        for number, part in enumerate(self.parts):
            name = f"rect.parts.{number}"
            if not _inside(part.of, self.video):
                return f"{name}.of is {list(part.of)}, not within the video of {_size(self.video)}"
            at = part.at or (0, 0, width, height)
            if part.at is None and len(self.parts) > 1:
                return f"{name}.at is missing; only the one part of a picture may leave it out"
            if not _inside(at, (width, height)):
                return f"{name}.at is {list(at)}, not within the picture of {width}x{height}"
            across, down = at[2] / part.of[2], at[3] / part.of[3]
            slack = _STRETCHED * max(across, down) + _ROUNDED / min(part.of[2], part.of[3])
            if abs(across - down) > slack:
                shapes = f"{_size(part.of[2:])} as {_size(at[2:])}"
                return f"{name} shows {shapes}; a part keeps its shape within 5 %"
        shown = sum(part.at[2] * part.at[3] for part in self.parts if part.at)
        if shown > width * height:  # each is looked at: one picture must not cost as much as many
            return (
                f"rect.parts lie over each other: {shown} pixels in a picture of {width}x{height}"
            )
        return None


def _inside(place: tuple[int, ...], size: tuple[int, ...]) -> bool:
    return place[0] + place[2] <= size[0] and place[1] + place[3] <= size[1]


def _size(sides: tuple[int, ...]) -> str:
    return f"{sides[0]}x{sides[1]}"
