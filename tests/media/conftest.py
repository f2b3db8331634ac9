from __future__ import annotations

from pathlib import Path

import pytest

from tests.media.made import LINES
from tests.support.scanning import ScanCommand
from tests.support.tiny_repository import tiny_repository


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made-up models that tell the two heads of ``made`` apart."""
    folder = tmp_path_factory.mktemp("models") / "triton_models"
    return tiny_repository(folder, parameters=LINES)


@pytest.fixture
def scan(models: Path, capsys: pytest.CaptureFixture[str]) -> ScanCommand:
    return ScanCommand(models, capsys)
