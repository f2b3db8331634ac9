"""What goes wrong with a file is told in words that its owner can act on."""

from __future__ import annotations

import errno
import logging
from typing import Any

import pytest

from stream_server.engine.base import EngineUnavailable
from stream_server.ingest.files.unusable import UnusableError
from stream_server.scan.failures import reason_of


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (UnusableError("codec", "a codec", 422), "codec", 422),
        (EngineUnavailable("refused"), "engine", 503),
        (FileNotFoundError(errno.ENOENT, "gone"), "missing", 404),
        (OSError(errno.ENOSPC, "full"), "disk_full", 507),
        (MemoryError(), "memory", 413),
    ],
)
def test_a_known_reason_is_found_however_deep_it_lies(error: Any, code: str, status: int) -> None:
    deep = ExceptionGroup("readers", [ValueError("ours"), ExceptionGroup("one", [error])])
    for one in (error, deep):
        reason = reason_of(one, "a.mp4")
        assert (reason.code, reason.status) == (code, status)


def test_what_nobody_foresaw_is_in_the_log_and_not_in_the_report(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        reason = reason_of(ValueError("secret path"), "a.mp4")
    assert (reason.code, reason.status) == ("internal", 500)
    assert "secret path" not in str(reason) and "secret path" in caplog.text
