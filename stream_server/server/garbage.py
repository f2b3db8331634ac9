"""What viewers leave behind, freed soon after they have left.

A stream and its session refer to each other, so counting references frees neither, nor the pictures
that they hold: half a megabyte a viewer. Python's own collector looks at what has lived for a while
only once enough has been added to it, and counts objects, not megabytes: a quarter of all that it
looked at last time (``gc``, ``set_threshold``). After the imports that is 40,000 objects, several
hundred viewers, and then it goes through everything at once, while all streams wait.
"""

from __future__ import annotations

import asyncio
import gc

_EVERY = 10.0  # seconds


async def collect(every: float = _EVERY) -> None:
    """Collect every so many seconds, for as long as the server runs.

    Whatever there is at the first call, code and models above all, is set aside as there to stay:
    nine tenths of the objects, which a collection no longer goes through.
    """
    gc.collect()
    gc.freeze()
    while True:
        gc.collect()
        await asyncio.sleep(every)
