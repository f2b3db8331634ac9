"""Waiting for several answers, which mostly are one or none."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

_T = TypeVar("_T")


async def all_of(work: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """What each of ``work`` returns, side by side; raises what the first that fails raises.

    One is awaited as it is: a task of its own takes several turns of the loop, at every frame of
    every stream.
    """
    if not work:
        return []
    if len(work) == 1:
        return [await work[0]]
    return list(await asyncio.gather(*work))
