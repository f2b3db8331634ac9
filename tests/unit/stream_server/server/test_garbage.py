"""In processes of their own: what is set aside once stays so."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
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

asyncio.run(main())
"""


def test_what_refers_to_itself_is_freed_without_going_through_what_was_loaded() -> None:
    said = subprocess.check_output([sys.executable, "-c", SCRIPT], text=True, timeout=120)
    assert said.splitlines() == ["before None True", "gone through True"]
