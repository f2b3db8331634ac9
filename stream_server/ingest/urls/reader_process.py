"""Starting, hearing and ending the process that reads a source."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import suppress
from typing import Any

from stream_server.ingest.urls.messages import WANT, ReaderJob, read_message

_BUFFER = 1 << 20  # bytes that may wait in this process
_GRACE = 2.0  # seconds to end by itself
# FFmpeg would go by a proxy, around every check, and several threads only stall one another.
_NOT_PASSED_ON = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_THREADS = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


class ReaderProcess:
    """One reader. Addresses may hold passwords, so it is told its job by a pipe: what stands on a
    command line every user of the machine can see."""

    def __init__(self, process: asyncio.subprocess.Process, max_body: int) -> None:
        self._process = process
        self._max_body = max_body

    @classmethod
    async def start(cls, job: ReaderJob) -> ReaderProcess:
        """Raises ``OSError`` where no process can be started."""
        kept = {k: v for k, v in os.environ.items() if k.lower() not in _NOT_PASSED_ON}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "stream_server.ingest.urls.reader",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**kept, **_THREADS},
            limit=_BUFFER,
            start_new_session=True,
        )
        one = cls(process, 3 * job.side * job.side)
        one._send(job.line())
        return one

    @property
    def pid(self) -> int:
        return self._process.pid

    async def message(self) -> tuple[dict[str, Any], bytes]:
        """The next message; see ``read_message`` for what it raises."""
        assert self._process.stdout is not None
        return await read_message(self._process.stdout, self._max_body)

    def want(self) -> None:
        """Ask for the newest picture, or the next if there is none."""
        self._send(WANT)

    async def stop(self, grace: float = _GRACE) -> str:
        """End it, by force if it does not within ``grace`` seconds; returns how it ended.

        Who is cancelled while waiting kills it at once, and goes only when it is gone: nothing
        would end it later.
        """
        ending = asyncio.ensure_future(self._end(grace))
        cancelled = False
        while not ending.done():
            try:
                await asyncio.shield(ending)
            except asyncio.CancelledError:
                cancelled = True
                self._kill()
        if cancelled:
            raise asyncio.CancelledError
        return ending.result()

    async def _end(self, grace: float) -> str:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(grace):
                await self._process.wait()
        except TimeoutError:
            self._kill()
            await self._process.wait()
        self._kill()  # what it may have started
        return self._words()

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def _send(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError, RuntimeError):
            self._process.stdin.write(data)

    def _words(self) -> str:
        code = self._process.returncode or 0
        if code >= 0:
            return f"the process that reads it ended with status {code}"
        return f"the process that reads it was ended by signal {-code}"
