"""System shared memory for large inputs, when Triton runs on this very machine.

A region is unlinked as soon as Triton has mapped it: nothing stays behind in /dev/shm, however
this process ends. A restarted Triton knows none of the old regions, and gets new ones.
"""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import secrets
import sys
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_SHM = Path("/dev/shm")
#: Fewer bytes go in the message: up to HTTP/2's first flow window they need no further round trip.
WORTHWHILE = 64 * 1024
#: Arrays begin at multiples of this many bytes, as ONNX Runtime and numpy like them.
_ALIGNMENT = 64

Register = Callable[[str, str, int], Awaitable[None]]


def host_is_local(url: str) -> bool:
    """Whether ``HOST:PORT`` is this machine by name, and this machine has POSIX shared memory."""
    host = url.rsplit(":", 1)[0].strip("[]")
    return host in ("127.0.0.1", "localhost", "::1") and sys.platform == "linux" and _SHM.is_dir()


def padded(array: NDArray[Any]) -> int:
    """Bytes that an array takes in a region."""
    return -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT


def offsets(arrays: Iterable[NDArray[Any]]) -> list[int]:
    """Where each of a call's arrays begins in a region, in bytes."""
    return [0, *itertools.accumulate(padded(array) for array in arrays)][:-1]


class Region:
    """One piece of memory that this process writes and Triton reads."""

    def __init__(self, size: int) -> None:
        self.name = f"fakelight-{os.getpid()}-{secrets.token_hex(8)}"
        self.size = size
        self._path = _SHM / self.name
        descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            os.ftruncate(descriptor, size)
            self._map = mmap.mmap(descriptor, size)
        finally:
            os.close(descriptor)

    def write(self, arrays: Iterable[NDArray[Any]]) -> None:
        """Copy arrays into the region, where ``offsets`` says."""
        end = 0
        for array in arrays:
            # A view for the moment of writing: one that stayed would keep the map open.
            target = np.frombuffer(self._map, array.dtype, array.size, end).reshape(array.shape)
            np.copyto(target, array)
            end += padded(array)

    def unlink(self) -> None:
        """Take the name away; the memory lives for as long as someone has it mapped."""
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the memory on this side."""
        self.unlink()
        # A view that is still being written from keeps it open; it goes when that goes.
        with contextlib.suppress(BufferError):
            self._map.close()


class RegionPool:
    """A few regions, made when first wanted.

    Args:
        register: tells the server about a region: name, POSIX key, size in bytes.
        size: bytes per region; calls with more travel in the message.
        count: regions at most; when all are taken, calls travel in the message.
    """

    def __init__(self, register: Register, size: int, count: int = 4) -> None:
        self._register = register
        self._size = size
        self._count = count
        self._free: list[Region] = []
        self._all: dict[str, Region] = {}

    async def take(self, nbytes: int) -> Region | None:
        """A free region that holds ``nbytes`` of padded arrays, or None: then send the bytes.

        Whatever ``register`` raises is passed on, and the region is gone again.
        """
        if not WORTHWHILE <= nbytes <= self._size:
            return None
        if self._free:
            return self._free.pop()
        if len(self._all) >= self._count:
            return None
        region = Region(self._size)
        self._all[region.name] = region
        try:
            await self._register(region.name, f"/{region.name}", region.size)
        except BaseException:
            self._all.pop(region.name, None)
            region.close()
            raise
        region.unlink()
        return region

    def give_back(self, region: Region) -> None:
        """Return a region; one that was forgotten meanwhile is closed."""
        if region.name in self._all:
            self._free.append(region)
        else:
            region.close()

    def forget(self) -> list[str]:
        """Drop every region, e.g. because the server restarted; returns their names."""
        names = list(self._all)
        self._all.clear()
        for region in self._free:
            region.close()
        self._free.clear()
        return names
