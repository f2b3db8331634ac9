"""The server's queue of scans: one file at a time, in the order they came, whatever happens."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from stream_server import logs
from stream_server.problem import ProblemError
from stream_server.report.html import render
from stream_server.report.model import Report, most_suspicious
from stream_server.report.words import because, by_passage, headline
from stream_server.scan.jobs.lock import FileLock
from stream_server.scan.jobs.store import Scan, ScanStore
from stream_server.scan.options import ScanOptions
from stream_server.scan.progress import Advance
from stream_server.scan.scanner import Scanner
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_RETRY = 5.0
_PURGE_EVERY = 3600.0
_TELL_EVERY = 0.2


class QueueFullError(ProblemError):
    """As many files wait as the settings allow."""

    def __init__(self, limit: int) -> None:
        text = f"{limit} files wait already, which is the limit"
        super().__init__(429, text, {"Retry-After": "30"})


class Observer(Protocol):
    """Who counts scans."""

    def scans(self, waiting: int, running: int) -> None:
        """So many wait and so many run."""

    def scanned(self, result: str, seconds: float) -> None:
        """One ended after so long: done, failed or cancelled."""


class ScanQueue:
    """Holds the uploads in ``state_dir/uploads``, the results in ``state_dir/scans.sqlite``.

    One process at a time works on a state directory; a second one takes uploads and serves
    results, and takes over when the first goes. ``scanner`` is asked anew for each file;
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

    @property
    def store(self) -> ScanStore:
        """The table; made at the first use."""
        with self._opening:
            if self._store is None:
                self.uploads.mkdir(parents=True, exist_ok=True, mode=0o700)
                url = self.settings.scan_database
                file = self.settings.state_dir / "scans.sqlite"
                self._store = ScanStore(url or f"sqlite:///{file}")
            return self._store

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
        self.store  # noqa: B018 - makes the folder
        scan_id = secrets.token_urlsafe(12)
        return scan_id, self.uploads / scan_id

    async def submit(self, scan_id: str, name: str, size: int, window: str, keep: bool) -> Scan:
        """Queue an upload that lies at its place on disk. Raises ``QueueFullError``."""
        scan = Scan(id=scan_id, file=name, size=size, window=window, keep=keep)
        limit = self.settings.scan_queue
        if await asyncio.to_thread(self.store.waiting) >= limit:
            raise QueueFullError(limit)
        await asyncio.to_thread(self.store.add, scan)
        await self._count()
        self._woken.set()
        return scan

    async def remove(self, scan: Scan) -> None:
        """Cancel a scan that is open, forget one that is not."""
        if scan.status in ("queued", "running"):
            await asyncio.to_thread(self.store.finish, scan.id, "cancelled", detail="cancelled")
            if self._current is not None and self._current[0] == scan.id:
                self._current[1].cancel()
        else:
            await asyncio.to_thread(self.store.remove, scan.id)
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
                if not recovered:
                    for lost in await asyncio.to_thread(self.store.recover):
                        self._drop_upload(lost)
                    recovered = True
                await self._purge()
                scan = await asyncio.to_thread(self.store.claim)
                if scan is not None:
                    await self._run(scan)
                    continue
            except (SQLAlchemyError, OSError):
                # A full disk or a locked database passes; the queue must be there when it does.
                _log.exception("the queue of scans cannot go on; trying again in %g s", _RETRY)
                await asyncio.sleep(_RETRY)
                continue
            await self._patiently(_PURGE_EVERY)

    async def _patiently(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()

    async def _run(self, scan: Scan) -> None:
        self._tell(scan.id)
        task = asyncio.create_task(self._scan(scan))
        self._current = (scan.id, task)
        began = time.monotonic()
        try:
            await self._count()
            await asyncio.wait({task})
        except asyncio.CancelledError:  # the server stops
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self.store.put_back(scan.id)
            raise
        finally:
            self._current = None
            self._advances.pop(scan.id, None)
        result = "cancelled"
        if not task.cancelled():
            failed = task.exception() is not None or task.result().error is not None
            result = "failed" if failed else "done"
            await self._finish(scan, task)
        self._tell(scan.id)
        if self._observer is not None:
            self._observer.scanned(result, time.monotonic() - began)
        await self._count()

    async def _count(self) -> None:
        if self._observer is None:
            return
        with suppress(SQLAlchemyError, OSError):  # a figure is not worth a scan
            unfinished = await asyncio.to_thread(self.store.waiting)
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

    async def _finish(self, scan: Scan, task: asyncio.Task[Report]) -> None:
        error = task.exception()
        if error is not None:
            _log.error("scan %s failed", scan.id, exc_info=error)
            detail = "an internal error; see the server's log"
            await asyncio.to_thread(self.store.finish, scan.id, "failed", detail=detail)
        else:
            await asyncio.to_thread(self._save, scan, task.result())
        if not scan.keep:
            self._drop_upload(scan.id)

    def _save(self, scan: Scan, report: Report) -> None:
        failed = report.error is not None
        self.store.finish(
            scan.id,
            "failed" if failed else "done",
            verdict=None if failed else report.verdict,
            probability=report.probability,
            detail=_detail(report),
            report=json.dumps(report.as_json(), allow_nan=False),
            page=render([report]),
        )

    async def _purge(self) -> None:
        if time.monotonic() - self._purged < _PURGE_EVERY and self._purged:
            return
        self._purged = time.monotonic()
        before = time.time() - self.settings.scan_keep_days * 86400
        await asyncio.to_thread(self._tidy, before)

    def _tidy(self, before: float) -> None:
        for old in self.store.expire(before):
            self._drop_upload(old)
        known = self.store.ids()
        for upload in self.uploads.iterdir():
            # An upload without a scan is one that broke off; a young one may still be coming in.
            if upload.name not in known and time.time() - upload.stat().st_mtime > _PURGE_EVERY:
                upload.unlink(missing_ok=True)

    def _drop_upload(self, scan_id: str) -> None:
        with suppress(OSError):
            (self.uploads / scan_id).unlink()

    def _tell(self, scan_id: str) -> None:
        for inbox in self._listeners.get(scan_id, ()):
            with suppress(asyncio.QueueFull):
                inbox.put_nowait(None)


def _detail(report: Report) -> str | None:
    """What a list of scans says of one beside its verdict: why there is none, that it does not
    speak for the whole file, or what it rests on."""
    if report.error is not None:
        return str(report.error["detail"])
    decisive = most_suspicious(report.faces)
    if report.status == "incomplete" or decisive is None:
        return headline(report)
    found = headline(report).removeprefix("Unsure: ") if report.verdict == "unsure" else ""
    why = "" if by_passage(report) else because(decisive.verdict, decisive.grounds)
    return f"{found[:1].upper()}{found[1:]} {why}".strip() or None


def described(
    scan: Scan, queue: ScanQueue, report: Any = None, ahead: int | None = None
) -> dict[str, Any]:
    """A scan as ``GET /v1/scans/{id}`` gives it."""
    advance = queue.advance(scan.id)
    finished = scan.status in ("done", "failed", "cancelled")
    return {
        "id": scan.id,
        "file": scan.file,
        "size": scan.size,
        "window": scan.window,
        "status": scan.status,
        "progress": 1.0 if finished else round(advance.share, 4) if advance else 0.0,
        "left_s": round(advance.left_s, 1) if advance and advance.left_s is not None else None,
        "ahead": ahead,
        "created": scan.created,
        "started": scan.started,
        "finished": scan.finished,
        "expires": None
        if scan.finished is None
        else scan.finished + queue.settings.scan_keep_days * 86400,
        "upload_kept": scan.keep,
        "verdict": scan.verdict,
        "probability": None if scan.probability is None else round(scan.probability, 4),
        "detail": scan.detail,
        "report": report,
    }
