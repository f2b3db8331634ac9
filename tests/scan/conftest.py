from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.scan_media import every, moving_face, write_video
from tests.support.scanning import ScanCommand
from tests.support.tiny_repository import tiny_repository


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up models, whose answer follows the colour of the face."""
    return tiny_repository(tmp_path_factory.mktemp("models") / "triton_models")


@pytest.fixture
def scan(models: Path, capsys: pytest.CaptureFixture[str]) -> ScanCommand:
    return ScanCommand(models, capsys)


@pytest.fixture(scope="session")
def portrait_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of one face, 30 frames per second."""
    path = tmp_path_factory.mktemp("clips") / "portrait.mp4"
    return write_video(path, moving_face(), every(30, 3))


@pytest.fixture
def cautious_models(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """The made-up models with other thresholds, to get the verdict that a test needs."""

    def make(fake: str, real: str) -> Path:
        folder = tmp_path_factory.mktemp("models") / "triton_models"
        lines = {"threshold_fake": fake, "threshold_real": real}
        return tiny_repository(folder, parameters=lines)

    return make
