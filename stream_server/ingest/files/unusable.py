"""Why an input cannot be scanned, in words that its owner can act on."""

from __future__ import annotations

import errno

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
        return UnusableError, (self.code, str(self), self.status)


def from_os_error(error: OSError, what: str) -> UnusableError:
    """An operating system's refusal, told about ``what``."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnusableError("disk_full", f"{what}: the disk is full", 507)
    if isinstance(error, FileNotFoundError):
        return UnusableError("missing", f"{what}: there is no such file", 404)
    if isinstance(error, PermissionError):
        return UnusableError("forbidden", f"{what}: this file may not be read", 403)
    if isinstance(error, IsADirectoryError):
        return UnusableError("folder", f"{what} is a folder, not a file", 422)
    return UnusableError("unreadable", f"{what}: {error.strerror or error}", 422)
