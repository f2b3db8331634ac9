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
    """Collect every so many seconds, until it is cancelled.

    Whatever there is at the first call, code and models above all, is set aside until then: nine
    tenths of the objects, which a collection no longer goes through. Of these, what refers to
    itself is not freed meanwhile. An engine that is swapped for another lets go of its sessions by
    itself, when it is closed; what stays of it is small, and of the first engine alone.
    """
    gc.collect()
    gc.freeze()
    try:
        while True:
            await asyncio.sleep(every)
            gc.collect()
    finally:
        gc.unfreeze()
