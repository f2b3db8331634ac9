"""Why an input cannot be scanned, in words that its owner can act on."""

from __future__ import annotations

import errno
from http import HTTPStatus


class UnusableError(ValueError):
    """An input that gives no report. ``code`` is for programs, the message for people.

    ``status`` is the HTTP status that says the same.
    """

    def __init__(self, code: str, message: str, status: int = 422) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    def __reduce__(self) -> tuple[type[UnusableError], tuple[str, str, int]]:
        # An exception is rebuilt from its message alone unless it says otherwise.
        return UnusableError, (self.code, str(self), self.status)

    def problem(self) -> dict[str, object]:
        """The problem document (RFC 9457) that stands in a report's ``error``."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            "code": self.code,
        }


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
