"""Pictures and animations that hold more than they show first; makers as in ``hidden``."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as Pillow

from tests.media.hidden import LONG, then
from tests.media.made import Scene
from tests.support.scan_media import every


def _pictures(first: Scene, second: Scene) -> list[Pillow.Image]:
    shown = then(first, second)
    large = [Pillow.fromarray(shown(time)).resize((480, 360)) for time in every(10, 2 * LONG)]
    return large


def frames_of_no_length(path: Path, first: Scene, second: Scene) -> Path:
    """Browsers show each for a tenth of a second."""
    pictures = _pictures(first, second)
    path = path / "a.webp"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=1, quality=90)
    return path


def moving_avif(path: Path, first: Scene, second: Scene) -> Path:
    pictures = _pictures(first, second)
    path = path / "a.avif"
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=100, quality=85, speed=10
    )
    return path


def instead_of_a_moving_png(path: Path, first: Scene, second: Scene) -> Path:
    hidden, *pictures = _pictures(second, first)[:1] + _pictures(first, first)[::4]
    path = path / "a.png"
    hidden.save(
        path, "PNG", save_all=True, append_images=pictures, default_image=True, duration=200
    )
    return path


def raw_picture(path: Path, first: Scene, second: Scene) -> Path:
    """A small copy in front, and what matters in a directory below (as DNG and NEF have it)."""
    path = path / "a.dng"
    Pillow.fromarray(first(0.0)).resize((640, 480)).save(path, "TIFF", tiffinfo={254: 1, 330: 8})
    del second
    return path
