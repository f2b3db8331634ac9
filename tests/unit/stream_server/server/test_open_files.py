from __future__ import annotations

import resource
import subprocess
import sys

SCRIPT = """
import resource
from stream_server.server import open_files
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
open_files.raise_limit()
print(resource.getrlimit(resource.RLIMIT_NOFILE), open_files.most_connections())
"""


def after(soft: int, hard: int) -> str:
    """In a process of its own: a hard limit that was lowered stays so."""
    script = SCRIPT.format(soft=soft, hard=hard)
    return subprocess.check_output([sys.executable, "-c", script], text=True).strip()


def test_all_that_the_system_allows_is_taken_and_an_eighth_left_for_other_things() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    some = 800 if hard == resource.RLIM_INFINITY else min(hard, 800)
    assert after(some // 2, some) == f"({some}, {some}) {some - some // 8}"
    assert after(some, some) == f"({some}, {some}) {some - some // 8}"
