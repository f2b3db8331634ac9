"""Scans one input after another and always comes back with a report."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from stream_server.accuracy import Accuracy
from stream_server.engine import Engine, MicroBatcher
from stream_server.engine.configured import configured_engine
from stream_server.evidence import StreamOptions
from stream_server.explain.explainer import Explainer
from stream_server.grounds import Voting
from stream_server.ingest.files.media import Media, Part
from stream_server.ingest.files.open import open_contents
from stream_server.ingest.files.unusable import UnusableError
from stream_server.languages import worded
from stream_server.report.model import Report
from stream_server.scan.analysis import Pipeline
from stream_server.scan.build_report import build_report
from stream_server.scan.content_credentials import read_provenance
from stream_server.scan.faces.gallery import WHOLE
from stream_server.scan.failures import reason_of
from stream_server.scan.heat_maps import with_heat_maps
from stream_server.scan.inputs import Input
from stream_server.scan.looking import PartLook, look_at
from stream_server.scan.one_look import picture_policy
from stream_server.scan.options import ScanOptions
from stream_server.scan.progress import Advance, Clock, Progress, ignored
from stream_server.scan.spool import is_pipe, spool
from stream_server.settings import Settings
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector


class Scanner:
    """Holds what all scans share. ``batcher`` and ``detector`` may belong to a running server.

    ``readers`` is how many parts of one long file are looked at side by side; with 1 a frame is
    judged before the next one is looked at, and little more than a core is taken but for heat
    maps.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        batcher: MicroBatcher,
        detector: FaceDetector,
        readers: int = 2,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self._readers = readers
        self._explainer = Explainer(engine, WHOLE if readers > 1 else 1)
        repository = engine.repository
        policy = VerdictPolicy.from_parameters(repository.parameters, Voting.of(repository))
        # A scan sums up all scores of a face: each counts at once, a lone picture has no second.
        self._policy = replace(policy, confirmations=1)
        self._pictures = picture_policy(repository, self._policy)
        self._accuracy = Accuracy.of(repository.parameters)
        self._pipeline = Pipeline(
            detector,
            batcher,
            self._policy,
            settings.detect_side,
            settings.detect_every,
            settings.max_faces,
            side_by_side=readers > 1,
            pictures=self._pictures,
        )

    async def scan(
        self,
        path: Path,
        name: str,
        options: ScanOptions,
        progress: Progress = ignored,
    ) -> Report:
        """The report on ``path``, called ``name``; one with ``error`` where it is unusable.

        Raises nothing but ``asyncio.CancelledError``: one bad file must not end a batch.
        """
        try:
            return await self._scan(path, name, options, progress)
        except Exception as error:
            return self.failed(name, options, error)

    async def scan_input(
        self, one: Input, options: ScanOptions, progress: Progress = ignored
    ) -> Report:
        """The report on ``one``, fetched first if it is an address; raises what ``scan`` does."""
        try:
            if one.error is not None:
                raise one.error
            with tempfile.TemporaryDirectory(prefix="fakelight-") as folder:
                path, limit = one.path, self.settings.scan_max_bytes
                if one.url is not None:
                    path = await _fetched(one.url, Path(folder), limit, progress)
                elif one.piped or (path is not None and is_pipe(path)):
                    path = await _spooled(path, one.name, Path(folder), limit)
                assert path is not None
                return await self.scan(path, one.name, options, progress)
        except (UnusableError, OSError) as error:
            return self.failed(one.name, options, error)

    def failed(self, name: str, options: ScanOptions, error: Exception) -> Report:
        """The report on an input that gave none, with the reason."""
        return Report(
            file=name,
            engine=self._engine_name(),
            models=self.engine.repository.members,
            settings=self._told(options, options.window_for(None, 1.0), options.sample_hz),
            provenance={"kind": "c2pa", "status": "unknown", "detail": worded("Not looked for.")},
            error=reason_of(error, name).problem(),
        )

    async def _scan(
        self, path: Path, name: str, options: ScanOptions, progress: Progress
    ) -> Report:
        settings = self.settings
        contents = await asyncio.to_thread(
            open_contents, path, name, settings.scan_max_pixels, settings.scan_max_picture_pixels, 2
        )
        clock = Clock(progress)
        provenance = asyncio.create_task(asyncio.to_thread(read_provenance, path))
        try:
            looks = await self._look_at(contents.parts, options, clock)
        finally:
            if not provenance.done():
                await asyncio.wait({provenance})
        if not any(look.upright.analysed for look in looks):
            raise UnusableError(
                "truncated",
                worded("{file}: nothing in it can be decoded; the file is damaged", file=name),
            )
        # Of a motion photo the video is what a window means something for.
        shown = max(looks, key=lambda look: look.options.window)
        rate = shown.part.media.info.sampling_rate(options.sample_hz)
        report = build_report(
            name,
            looks,
            contents.unread,
            self._policy,
            self._pictures,
            engine=self._engine_name(),
            models=self.engine.repository.members,
            settings=self._told(options, shown.options.window, rate),
            provenance=provenance.result(),
            max_faces=settings.max_faces,
            accuracy=self._accuracy,
        )
        records = [face for look in looks for face in look.faces]
        return await with_heat_maps(report, records, self._explainer)

    async def _look_at(
        self, parts: Sequence[Part], options: ScanOptions, clock: Clock
    ) -> list[PartLook]:
        """Look at each part in turn; they share the budget."""
        budget = max(options.budget // len(parts), 1)
        looks = []
        for number, part in enumerate(parts):

            def progress(share: float, number: int = number) -> None:
                clock((number + share) / len(parts))

            looks.append(
                await look_at(
                    part,
                    self._stream_options(part.media, options),
                    self._pipeline,
                    region=options.region,
                    budget=budget,
                    readers=self._readers,
                    progress=progress,
                )
            )
        return looks

    def _stream_options(self, media: Media, options: ScanOptions) -> StreamOptions:
        info = media.info
        if info.kind == "picture":
            return StreamOptions(sample_hz=options.sample_hz, window=1, first_verdict=1)
        window = min(
            options.window_for(info.duration, info.sampling_rate(options.sample_hz)),
            self.engine.repository.sequence_length,
        )
        return StreamOptions(
            sample_hz=options.sample_hz,
            window=window,
            first_verdict=min(self.settings.first_verdict, window),
            verdict_hz=min(self.settings.verdict_hz, options.sample_hz),
        )

    def _told(self, options: ScanOptions, window: int, rate: float) -> dict[str, Any]:
        return {
            "window": window,
            "window_chosen": "auto" if options.window is None else options.window,
            "sample_hz": round(rate, 3),
            "budget_samples": options.budget,
            "first_verdict": self.settings.first_verdict,
            "threshold_fake": self._policy.fake,
            "threshold_real": self._policy.real,
        }

    def _engine_name(self) -> str:
        return self.engine.in_use


async def _spooled(path: Path | None, name: str, folder: Path, limit: int) -> Path:
    unwanted = threading.Event()
    try:
        return await asyncio.to_thread(spool, path, name, folder, limit, unwanted)
    finally:
        unwanted.set()


async def _fetched(url: str, folder: Path, limit: int, progress: Progress) -> Path:
    """``url`` as a file. A thread of its own fetches it, which nobody waits for once it is not
    wanted any more: a server that sends nothing would hold up the end of the program."""
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Path] = loop.create_future()
    unwanted = threading.Event()

    def received(done: int, whole: int | None) -> None:
        doing = worded("fetching, {done:.1f} MB", done=done / 1e6)
        if whole:
            doing = worded(
                "fetching, {done:.1f} of {whole:.1f} MB", done=done / 1e6, whole=whole / 1e6
            )
        told = Advance(done / whole if whole else 0.0, None, doing)
        loop.call_soon_threadsafe(progress, told)

    def settle(path: Path | None, error: BaseException | None) -> None:
        if found.done():
            return
        if error is not None:
            found.set_exception(error)
        elif path is not None:
            found.set_result(path)

    def work() -> None:
        path: Path | None = None
        trouble: BaseException | None = None
        try:
            from stream_server.ingest.files.fetch import fetch  # a scan of files needs no client

            path = fetch(url, folder, limit, received, unwanted)
        except BaseException as error:  # it is for who waits
            trouble = error
        with suppress(RuntimeError):  # the loop is gone: nobody waits
            loop.call_soon_threadsafe(settle, path, trouble)

    threading.Thread(target=work, name="fetch", daemon=True).start()
    try:
        return await found
    finally:
        unwanted.set()


@asynccontextmanager
async def open_scanner(settings: Settings, engine: Engine | None = None) -> AsyncIterator[Scanner]:
    """A scanner that has its engine, batcher and detector to itself. ``engine`` is the one that
    the settings ask for, where it is open already.

    Wherever it runs it has as many readers: the plan, and so the answer, depends on them. Raises
    what ``open_engine`` raises.
    """
    engine = engine or configured_engine(settings)
    try:
        await engine.start()
        batcher = MicroBatcher(engine)
        try:
            detector = FaceDetector(min_face=settings.min_face, threads=settings.threads)
            yield Scanner(settings, engine, batcher, detector, min(settings.workers, 2))
        finally:
            await batcher.close()
    finally:
        await engine.close()
