from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.skips import SkipGate, read_allowed
from training.torchvision_compat import mend_torchvision

mend_torchvision()  # before any test imports torchvision, or what needs it

pytest_plugins = ["pytester"]


def pytest_configure(config: pytest.Config) -> None:
    allowed = read_allowed(Path(__file__).with_name("allowed_skips.txt"))
    config.pluginmanager.register(SkipGate(allowed, on_ci=bool(os.environ.get("CI"))))
