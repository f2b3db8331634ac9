"""Draws the mark in each size that browsers and stores ask for: ``python -m scripts.icons``.

The extension's own icons, and for the listings the logo (Edge asks for 300 by 300), the tile and
the marquee of Chrome's store. The shapes are given on a square of 128 and drawn larger than needed,
then made smaller, so that edges are smooth in every size.
"""

from __future__ import annotations

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).resolve().parents[1]
ICONS = ROOT / "extension" / "icons"
PICTURES = ROOT / "docs" / "images"
STORE = PICTURES / "store"
SIZES = (16, 32, 48, 96, 128)
LOGO = 300
SITE = 128  # of the pages in docs/
BANNERS = (("tile", 440, 280), ("marquee", 1400, 560))
GROUND, MARK, WORDS = (20, 24, 29), (255, 122, 51), (238, 241, 245)
TAGLINE = "A light over a face that was probably faked"

_UNIT = 128
_FINER = 8  # times the size that is wanted
_FRAME = (19.5, 108.5)  # where the corners stand
_ARM, _STROKE, _DOT = 36.0, 9.0, 16.0


def mark(size: int, rounded: bool = True) -> Image.Image:
    """The mark on its dark ground, RGBA, ``size`` pixels on each side."""
    scale = size * _FINER / _UNIT
    picture = Image.new("RGBA", (size * _FINER, size * _FINER))
    draw = ImageDraw.Draw(picture)
    if rounded:
        box = [edge * scale for edge in (1.5, 1.5, 126.5, 126.5)]
        draw.rounded_rectangle(box, 27 * scale, GROUND)
    near, far = _FRAME
    for x, y in ((near, near), (far, near), (near, far), (far, far)):
        # Inwards from each corner, along both sides.
        for width, height in ((_ARM, _STROKE), (_STROKE, _ARM)):
            left = x if x == near else x - width
            top = y if y == near else y - height
            box = [edge * scale for edge in (left, top, left + width, top + height)]
            draw.rounded_rectangle(box, _STROKE / 2 * scale, MARK)
    middle = _UNIT / 2
    dot = [edge * scale for edge in (middle - _DOT, middle - _DOT, middle + _DOT, middle + _DOT)]
    draw.ellipse(dot, MARK)
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def banner(width: int, height: int) -> Image.Image:
    """The mark, the name and what it is for, RGB."""
    picture = Image.new("RGB", (width, height), GROUND)
    draw = ImageDraw.Draw(picture)
    name, line = (ImageFont.load_default(height * share) for share in (0.17, 0.062))
    side = int(height * 0.42)
    top = int(height * 0.12)
    drawn = mark(side, rounded=False)
    picture.paste(drawn, ((width - side) // 2, top), drawn)
    draw.text((width / 2, height * 0.68), "Fakelight", WORDS, name, anchor="mm")
    draw.text((width / 2, height * 0.85), TAGLINE, MARK, line, anchor="mm")
    return picture


def main() -> None:
    """Write them all."""
    STORE.mkdir(parents=True, exist_ok=True)
    for size in SIZES:
        mark(size).save(ICONS / f"{size}.png", optimize=True)
    mark(SITE).save(PICTURES / "mark.png", optimize=True)
    mark(LOGO).save(STORE / f"logo-{LOGO}.png", optimize=True)
    for kind, width, height in BANNERS:
        banner(width, height).save(STORE / f"{kind}-{width}x{height}.png", optimize=True)


if __name__ == "__main__":
    main()
