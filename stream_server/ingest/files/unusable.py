"""Why an input cannot be scanned, in words that its owner can act on."""

from __future__ import annotations

import errno

from stream_server.languages import worded
from stream_server.problem import ProblemError


class UnusableError(ProblemError):
    """An input that gives no report. ``code`` is for programs, the message for people.

    Its problem document stands in a report's ``error``.
    """

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(status, message, code=code)
        self.code = code

    def __reduce__(self) -> tuple[type[UnusableError], tuple[str, str, int]]:
        # An exception is rebuilt from its message alone unless it says otherwise.
        return UnusableError, (self.code, self.detail, self.status)


def from_os_error(error: OSError, what: str) -> UnusableError:
    """An operating system's refusal, told about ``what``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnusableError("disk_full", worded("{file}: the disk is full", file=what), 507)
    if isinstance(error, FileNotFoundError):
        return UnusableError("missing", worded("{file}: there is no such file", file=what), 404)
    if isinstance(error, PermissionError):
        text = worded("{file}: this file may not be read", file=what)
        return UnusableError("forbidden", text, 403)
    if isinstance(error, IsADirectoryError):
        return UnusableError("folder", worded("{file} is a folder, not a file", file=what), 422)
    return UnusableError("unreadable", f"{what}: {error.strerror or error}", 422)
