"""The engine that settings ask for, for a server and a scan alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.engine.configured import configured_engine
from stream_server.engine.fallback import FallbackEngine
from stream_server.engine.triton import TritonEngine
from stream_server.scan.scanner import open_scanner
from stream_server.settings import Settings
from tests.support.tiny_repository import tiny_repository


async def test_a_scan_heeds_the_triton_settings_as_a_server_does(tmp_path: Path) -> None:
    settings = Settings(
        engine="triton", triton_url="127.0.0.1:1", triton_timeout=2.5,
        models=tiny_repository(tmp_path / "triton_models"),
    )  # fmt: skip
    engine = configured_engine(settings)
    assert isinstance(engine, FallbackEngine) and isinstance(engine.primary, TritonEngine)
    assert engine.policy.call_timeout == pytest.approx(3.0)
    await engine.close()
    async with open_scanner(settings) as scanner:
        assert isinstance(scanner.engine, FallbackEngine)
        assert scanner.engine.policy.call_timeout == pytest.approx(3.0)
