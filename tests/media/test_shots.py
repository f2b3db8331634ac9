"""A track is one person: whatever leads from one to the next ends it, and a flash does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.media.made import Scene, genuine, mixed, swapped, video
from tests.media.test_times import flagged
from tests.support.scanning import ScanCommand

BEGIN, LENGTH = 3.0, 1.0


def done(time: float) -> float:
    return float(np.clip((time - BEGIN) / LENGTH, 0, 1))


def dissolve(a: Scene, b: Scene) -> Scene:
    return mixed(a, b, lambda time, image: done(time))


def wipe(a: Scene, b: Scene) -> Scene:
    def share(time: float, image: Any) -> Any:
        return (np.arange(image.shape[1]) < done(time) * image.shape[1])[None, :, None]

    return mixed(a, b, share)


def iris(a: Scene, b: Scene) -> Scene:
    def share(time: float, image: Any) -> Any:
        rows, columns = np.mgrid[: image.shape[0], : image.shape[1]]
        far = np.hypot(rows - image.shape[0] / 2, columns - image.shape[1] / 2)
        return (far < done(time) * far.max())[..., None]

    return mixed(a, b, share)


def fade(shade: float) -> Callable[[Scene, Scene], Scene]:
    def make(a: Scene, b: Scene) -> Scene:
        def at(time: float) -> Any:
            part = done(time)
            image = (a if part < 0.5 else b)(time).astype(np.float32)
            light = abs(2 * part - 1)
            return (image * light + shade * (1 - light)).astype(np.uint8)

        return at

    return make


@pytest.mark.parametrize(
    "lead", [dissolve, wipe, iris, fade(0), fade(255)],
    ids=["dissolve", "wipe", "iris", "fade to black", "fade to white"],
)  # fmt: skip
def test_what_leads_to_another_shot_ends_the_track(
    scan: ScanCommand, tmp_path: Path, lead: Callable[[Scene, Scene], Scene]
) -> None:
    path = video(tmp_path / "a.mp4", lead(genuine(), swapped()), 7.0)
    judged = [face for face in flagged(scan(path))["faces"] if face["probability"] is not None]
    assert [face["verdict"] for face in judged] == ["likely_real", "likely_fake"]
    assert judged[1]["first_s"] > BEGIN + 0.2


def flash(image: Any) -> Any:
    return np.clip(image.astype(np.int16) + 140, 0, 255).astype(np.uint8)


def black(image: Any) -> Any:
    return np.zeros_like(image)


def white(image: Any) -> Any:
    return np.full_like(image, 255)


@pytest.mark.parametrize("odd", [flash, black, white])
def test_a_flash_ends_no_track_and_is_no_evidence(
    scan: ScanCommand, tmp_path: Path, odd: Callable[[Any], Any]
) -> None:
    picture = swapped()
    path = video(
        tmp_path / "a.mp4",
        lambda time: odd(picture(time)) if round(time * 12) % 8 == 5 else picture(time),
        5.0,
    )
    (face,) = flagged(scan(path))["faces"]
    assert face["first_s"] == 0 and face["last_s"] > 4.7
    assert 36 <= face["samples"] <= 46


def test_a_camera_that_moves_ends_no_track(scan: ScanCommand, tmp_path: Path) -> None:
    from stream_server import resources

    report = scan(resources.sample_clip()).found
    assert len(report["faces"]) == 1
