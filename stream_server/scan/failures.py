"""What went wrong with a scan, as the reason that its report gives."""

from __future__ import annotations

import logging

from stream_server.engine.base import EngineError
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.languages import worded

_log = logging.getLogger(__name__)


def reason_of(error: Exception, name: str) -> UnusableError:
    """Why ``name`` has no report. What nobody foresaw goes to the log."""
    known = _known(error, name)
    if known is not None:
        return known
    # Ours to mend, but not a reason to leave the rest of a batch undone.
    _log.error("a scan failed", exc_info=error)
    return UnusableError(
        "internal", worded("{file}: an internal error; the log has it", file=name), 500
    )


def _known(error: BaseException, name: str) -> UnusableError | None:
    if isinstance(error, UnusableError):
        return error
    if isinstance(error, EngineError):
        return UnusableError(
            "engine", worded("the engine gave no answer: {why}", why=str(error)), 503
        )
    if isinstance(error, OSError):
        return from_os_error(error, name)
    if isinstance(error, MemoryError):
        return UnusableError(
            "memory", worded("{file} needs more memory than there is", file=name), 413
        )
    if isinstance(error, BaseExceptionGroup):
        reasons = (_known(one, name) for one in error.exceptions)
        return next((reason for reason in reasons if reason is not None), None)
    return None
