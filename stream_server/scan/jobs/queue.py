"""The server's queue of scans: one file at a time, in the order they came, whatever happens."""

from __future__ import annotations

import asyncio
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from alembic.util import CommandError
from sqlalchemy.exc import SQLAlchemyError

from stream_server import logs
from stream_server.languages import _, speaking, spoken, worded
from stream_server.problem import ProblemError
from stream_server.report.model import Report
from stream_server.scan.jobs.described import outcome
from stream_server.scan.jobs.lock import FileLock
from stream_server.scan.jobs.opening import open_store, scans_address
from stream_server.scan.jobs.store import Scan, ScanStore
from stream_server.scan.options import ScanOptions
from stream_server.scan.progress import Advance
from stream_server.scan.scanner import Scanner
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_RETRY = 5.0
_PURGE_EVERY = 3600.0
_TELL_EVERY = 0.2
_ADVANCE_EVERY = 2.0


class QueueFullError(ProblemError):
    """As many files wait as the settings allow."""

    def __init__(self, limit: int) -> None:
        text = worded("{count} files wait already, which is the limit", count=limit)
        super().__init__(429, text, {"Retry-After": "30"})


class Observer(Protocol):
    """Who counts scans."""

    def scans(self, waiting: int, running: int) -> None:
        """So many wait and so many run."""

    def scanned(self, result: str, seconds: float) -> None:
        """One ended after so long: done, failed or cancelled."""


class ScanQueue:
    """Holds the uploads in ``state_dir/uploads``, and what comes of them in the database that
    servers share, or ``state_dir/scans.sqlite``.

    One process at a time works on a state directory; a second one takes uploads and serves
    results, and takes over when the first goes. A server that shares the database tells of all
    scans and works on those whose files it has. ``scanner`` is asked anew for each file;
    ``stopping`` is set when the server is about to stop; ``observer`` counts.
    """

    def __init__(
        self,
        settings: Settings,
        scanner: Callable[[], Scanner],
        stopping: asyncio.Event,
        observer: Observer | None = None,
    ) -> None:
        self.settings = settings
        self._scanner = scanner
        self._stopping = stopping
        self._observer = observer
        self.uploads = settings.state_dir / "uploads"
        self._store: ScanStore | None = None
        self._opening = threading.Lock()
        self._lock = FileLock(settings.state_dir / "scans.lock")
        self._woken = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._farewell: asyncio.Task[None] | None = None
        self._current: tuple[str, asyncio.Task[Report]] | None = None
        self._advances: dict[str, Advance] = {}
        self._listeners: dict[str, set[asyncio.Queue[None]]] = {}
        self._purged = 0.0

    async def store(self) -> ScanStore:
        """The table; made at the first use. Raises as ``ScanStore`` does, and ``OSError``."""
        if self._store is not None:
            return self._store
        return await asyncio.to_thread(self._open)

    def _open(self) -> ScanStore:
        with self._opening:
            if self._store is None:
                self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._store = open_store(self.settings)
            store = self._store
        return store

    @property
    def on_disk(self) -> bool:
        """Whether what is written down goes to a disk of this machine."""
        return scans_address(self.settings).startswith("sqlite")

    @property
    def stopping(self) -> bool:
        """Whether the server is about to stop; nobody should wait for anything then."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to work, first on what a former process left behind."""
        self._worker = asyncio.create_task(self._work())
        self._farewell = asyncio.create_task(self._say_goodbye())

    async def stop(self) -> None:
        """Stop at once; what is running is put back to be picked up by the next process."""
        tasks = [task for task in (self._worker, self._farewell) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._store is not None:
            self._store.close()
        self._lock.release()

    def new_path(self) -> tuple[str, Path]:
        """An id and where its upload goes."""
        self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
        scan_id = secrets.token_urlsafe(12)
        return scan_id, self.uploads / scan_id

    async def submit(self, scan_id: str, name: str, size: int, window: str, keep: bool) -> Scan:
        """Queue an upload that lies at its place on disk. Raises ``QueueFullError``."""
        scan = Scan(id=scan_id, file=name, size=size, window=window, keep=keep, language=spoken())
        limit = self.settings.scan_queue
        store = await self.store()
        if await asyncio.to_thread(store.waiting) >= limit:
            raise QueueFullError(limit)
        await asyncio.to_thread(store.add, scan)
        await self._count()
        self._woken.set()
        return scan

    async def remove(self, scan: Scan) -> None:
        """Cancel a scan that is open, forget one that is not."""
        store = await self.store()
        if scan.status in ("queued", "running"):
            await asyncio.to_thread(store.finish, scan.id, "cancelled", detail="cancelled")
            if self._current is not None and self._current[0] == scan.id:
                self._current[1].cancel()
        else:
            await asyncio.to_thread(store.remove, scan.id)
        self._drop_upload(scan.id)
        self._tell(scan.id)
        await self._count()

    def advance(self, scan_id: str) -> Advance | None:
        """How far a running scan is."""
        return self._advances.get(scan_id)

    async def changes(self, scan_id: str, patience: float) -> AsyncIterator[None]:
        """Yields now, at every change of the scan, and at least every ``patience`` seconds."""
        inbox: asyncio.Queue[None] = asyncio.Queue(maxsize=1)
        self._listeners.setdefault(scan_id, set()).add(inbox)
        try:
            while True:
                yield
                with suppress(TimeoutError):
                    async with asyncio.timeout(patience):
                        await inbox.get()
        finally:
            self._listeners[scan_id].discard(inbox)
            if not self._listeners[scan_id]:
                del self._listeners[scan_id]

    async def _say_goodbye(self) -> None:
        await self._stopping.wait()
        for scan_id in list(self._listeners):
            self._tell(scan_id)

    async def _work(self) -> None:
        while not self._lock.acquire():
            # Another process works on this folder; the system tells nobody when it goes.
            self._woken.clear()
            await self._patiently(_RETRY)
        recovered = False
        while True:
            self._woken.clear()
            try:
                store = await self.store()
                if not recovered:
                    files = [upload.name for upload in self.uploads.iterdir()]
                    for lost in await asyncio.to_thread(store.recover, files):
                        self._drop_upload(lost)
                    recovered = True
                await self._purge(store)
                scan = await asyncio.to_thread(store.claim)
                if scan is not None:
                    await self._run(store, scan)
                    continue
            except CommandError as error:
                _log.error("the scans' database is of another version: %s", error)
                return
            except (SQLAlchemyError, OSError) as error:
                # A full disk or a locked database passes; the queue must be there when it does.
                _tell_trouble(error)
                await asyncio.sleep(_RETRY)
                continue
            await self._patiently(_PURGE_EVERY)

    async def _patiently(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _run(self, store: ScanStore, scan: Scan) -> None:
        self._tell(scan.id)
        task = asyncio.create_task(self._scan(scan))
        self._current = (scan.id, task)
        began = time.monotonic()
        try:
            await self._count()
            while not (await asyncio.wait({task}, timeout=_ADVANCE_EVERY))[0]:
                if not await self._still_wanted(store, scan.id):
                    task.cancel()
        except asyncio.CancelledError:  # the server stops
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(SQLAlchemyError):  # or the next start finds that it was running
                store.put_back(scan.id)
            raise
        finally:
            self._current = None
            self._advances.pop(scan.id, None)
        result = "cancelled"
        if not task.cancelled():
            failed = task.exception() is not None or task.result().error is not None
            result = "failed" if failed else "done"
            await self._finish(store, scan, task)
        else:
            self._drop_upload(scan.id)
        self._tell(scan.id)
        if self._observer is not None:
            self._observer.scanned(result, time.monotonic() - began)
        await self._count()

    async def _count(self) -> None:
        if self._observer is None:
            return
        with suppress(SQLAlchemyError, OSError):  # a figure is not worth a scan
            unfinished = await asyncio.to_thread((await self.store()).waiting)
            running = int(self._current is not None)
            self._observer.scans(max(unfinished - running, 0), running)

    async def _scan(self, scan: Scan) -> Report:
        options = ScanOptions.chosen(self.settings, scan.window)
        told = 0.0

        def progress(advance: Advance) -> None:
            nonlocal told
            self._advances[scan.id] = advance
            if time.monotonic() - told >= _TELL_EVERY:
                told = time.monotonic()
                self._tell(scan.id)

        with logs.about(scan=scan.id):
            return await self._scanner().scan(self.uploads / scan.id, scan.file, options, progress)

    async def _still_wanted(self, store: ScanStore, scan_id: str) -> bool:
        advance = self._advances.get(scan_id)
        far = (advance.share, advance.left_s) if advance else (None, None)
        try:
            return await asyncio.to_thread(store.advance, scan_id, *far)
        except SQLAlchemyError:  # its result will be written, however long that takes
            return True

    async def _finish(self, store: ScanStore, scan: Scan, task: asyncio.Task[Report]) -> None:
        """Write down what came of it, as soon as that can be written."""
        error = task.exception()
        with speaking(scan.language):
            if error is not None:
                _log.error("scan %s failed", scan.id, exc_info=error)
                status, values = "failed", {"detail": _("an internal error; see the server's log")}
            else:
                status, values = await asyncio.to_thread(outcome, task.result())
        while True:
            try:
                await asyncio.to_thread(store.finish, scan.id, status, **values)
                break
            except SQLAlchemyError as trouble:
                _tell_trouble(trouble)
                await asyncio.sleep(_RETRY)
        if not scan.keep:
            self._drop_upload(scan.id)

    async def _purge(self, store: ScanStore) -> None:
        if time.monotonic() - self._purged < _PURGE_EVERY and self._purged:
            return
        self._purged = time.monotonic()
        before = time.time() - self.settings.scan_keep_days * 86400
        await asyncio.to_thread(self._tidy, store, before)

    def _tidy(self, store: ScanStore, before: float) -> None:
        for old in store.expire(before):
            self._drop_upload(old)
        needed = store.needed()
        for upload in self.uploads.iterdir():
            # One without a scan broke off, and that of another may have been cancelled elsewhere; a
            # young one may still be coming in.
            if upload.name not in needed and time.time() - upload.stat().st_mtime > _PURGE_EVERY:
                upload.unlink(missing_ok=True)

    def _drop_upload(self, scan_id: str) -> None:
        with suppress(OSError):
            (self.uploads / scan_id).unlink()

    def _tell(self, scan_id: str) -> None:
        for inbox in self._listeners.get(scan_id, ()):
            with suppress(asyncio.QueueFull):
                inbox.put_nowait(None)


def _tell_trouble(error: Exception) -> None:
    # A driver's message may hold an address with a password.
    said = type(error).__name__ if isinstance(error, SQLAlchemyError) else str(error)
    _log.error("the queue of scans waits (%s); trying again in %g s", said, _RETRY)
