"""How many files this process may open, and how many of them connections may take.

A connection is an open file. Without a limit of their own, connections that somebody opens and
leaves would take the place of the database, of uploads and of the log.
"""

from __future__ import annotations

import sys

_WANTED = 65536  # enough for any machine's streams; some programs walk through all that may be open
_ELSEWHERE = 8192  # where the system does not tell

if sys.platform != "win32":
    import resource

    def raise_limit() -> None:
        """Take as many as the system allows, up to ``_WANTED``: the usual soft limit of 1,024 is
        for programs that use ``select``."""
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = _WANTED if hard == resource.RLIM_INFINITY else min(hard, _WANTED)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))

    def most_connections() -> int:
        """Seven eighths of the files that may be open now; the rest is for everything else."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return _ELSEWHERE if soft == resource.RLIM_INFINITY else soft - soft // 8

else:  # pragma: no cover

    def raise_limit() -> None:
        """Windows has no such limit."""

    def most_connections() -> int:
        """What no browser's user comes near."""
        return _ELSEWHERE
