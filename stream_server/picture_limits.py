"""How large a picture may be, and how large it is looked at."""

from __future__ import annotations

MAX_SIDE = 960
"""Longer side, in pixels, of the pictures of a video that are judged: what the extension sends at
most, and what the models were trained on. Larger frames are shrunk to it."""

MAX_PICTURE_SIDE = 1920
"""The same for a single picture: group pictures have small faces, and one picture costs little."""

MAX_VIDEO_PIXELS = 8192 * 8192
"""A video whose frames have more is refused, unless the settings say otherwise."""

MAX_PICTURE_PIXELS = 120_000_000
"""A single picture that has more is refused, unless the settings say otherwise."""
