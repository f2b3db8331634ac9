"""In processes of their own: what is set aside is so for the whole process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.tiny_repository import tiny_repository

VIEWERS = """
import asyncio, gc, weakref
from stream_server.server.garbage import collect

class Viewer:
    def __init__(self):
        self.session = self

async def main():
    gc.disable()  # what is freed here is freed by nobody else
    loaded = [[] for _ in range(50_000)]
    early = weakref.ref(Viewer())
    collecting = asyncio.create_task(collect(0.01))
    await asyncio.sleep(0)
    print("before", early(), gc.get_freeze_count() > len(loaded))
    late = weakref.ref(Viewer())
    while late() is not None:
        await asyncio.sleep(0.01)
    print("gone through", len(gc.get_objects()) < 5_000)
    collecting.cancel()
    await asyncio.wait([collecting])
    print("set aside at the end", gc.get_freeze_count())

asyncio.run(main())
"""

SWAPPED = """
import asyncio, gc, sys, weakref
from pathlib import Path
from stream_server.engine import open_engine
from stream_server.server.garbage import collect
from stream_server.server.loaded import Loaded

async def main():
    gc.disable()
    loaded = Loaded(open_engine("embedded", Path(sys.argv[1])))
    await loaded.engine.probe()
    sessions = [weakref.ref(one) for one in loaded.engine._sessions.values()]
    collecting = asyncio.create_task(collect(0.01))
    await asyncio.sleep(0)
    print(len(sessions) > 1, [one() is None for one in sessions].count(True))
    await loaded.close()
    print([one() is None for one in sessions].count(False))
    collecting.cancel()

asyncio.run(main())
"""


def said(script: str, *arguments: str) -> list[str]:
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.check_output(command, text=True, timeout=120).splitlines()


def test_what_refers_to_itself_is_freed_without_going_through_what_was_loaded() -> None:
    assert said(VIEWERS) == ["before None True", "gone through True", "set aside at the end 0"]


def test_models_that_were_set_aside_are_freed_when_they_are_closed(tmp_path: Path) -> None:
    assert said(SWAPPED, str(tiny_repository(tmp_path / "models"))) == ["True 0", "0"]
