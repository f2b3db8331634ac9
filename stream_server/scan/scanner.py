"""Scans one input after another and always comes back with a report."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stream_server.engine import Engine, MicroBatcher
from stream_server.engine.base import EngineError
from stream_server.evidence import StreamOptions
from stream_server.explain.explainer import Explainer
from stream_server.ingest.files.media import Media
from stream_server.ingest.files.open import open_media
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.report.model import Report
from stream_server.scan.analysis import Pipeline, analyse
from stream_server.scan.build_report import build_report
from stream_server.scan.explained import explained
from stream_server.scan.options import ScanOptions
from stream_server.scan.plan import make_plan
from stream_server.scan.provenance import read_provenance
from stream_server.settings import Settings
from stream_server.verdict import VerdictPolicy
from stream_server.vision.detect import FaceDetector

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Advance:
    """How far a scan is: ``share`` from 0 to 1, and the seconds it will take still, if known."""

    share: float
    left_s: float | None


class Scanner:
    """Holds what all scans share. ``batcher`` and ``detector`` may belong to a running server.

    ``readers`` is how many parts of one long file are looked at side by side.
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
        self._engine = engine
        self._readers = readers
        self._explainer = Explainer(engine)
        self._policy = VerdictPolicy.from_parameters(engine.repository.parameters)
        self._pipeline = Pipeline(
            detector,
            batcher,
            self._policy,
            settings.detect_side,
            settings.detect_every,
            settings.max_faces,
        )

    async def scan(
        self,
        path: Path,
        name: str,
        options: ScanOptions,
        progress: Callable[[Advance], None] = lambda advance: None,
    ) -> Report:
        """The report on ``path``, called ``name``; one with ``error`` where it is unusable.

        Raises nothing but ``asyncio.CancelledError``: one bad file must not end a batch.
        """
        try:
            return await self._scan(path, name, options, progress)
        except UnusableError as error:
            return self.failed(name, options, error)
        except EngineError as error:
            unavailable = UnusableError("engine", f"the engine gave no answer: {error}", 503)
            return self.failed(name, options, unavailable)
        except ExceptionGroup as group:
            return self.failed(name, options, _first(group, name))
        except OSError as error:
            return self.failed(name, options, from_os_error(error, name))
        except MemoryError:
            too_large = UnusableError("memory", f"{name} needs more memory than there is", 413)
            return self.failed(name, options, too_large)
        except Exception:
            # Ours to mend, but not a reason to leave the rest of a batch undone.
            _log.exception("scanning %s failed", name)
            bug = UnusableError("internal", f"{name}: an internal error; the log has it", 500)
            return self.failed(name, options, bug)

    def failed(self, name: str, options: ScanOptions, error: UnusableError) -> Report:
        """A report on an input that gave none."""
        return Report(
            file=name,
            engine=self._engine_name(),
            models=self._engine.repository.members,
            settings=self._told(options, options.window_for(None, 1.0), options.sample_hz),
            provenance={"kind": "c2pa", "status": "unknown", "detail": "Not looked for."},
            error=error.problem(),
        )

    async def _scan(
        self, path: Path, name: str, options: ScanOptions, progress: Callable[[Advance], None]
    ) -> Report:
        settings = self.settings
        media = await asyncio.to_thread(
            open_media, path, name, settings.scan_max_pixels, settings.scan_max_picture_pixels, 2
        )
        chosen = self._stream_options(media, options)
        plan = make_plan(media.info.duration, chosen.sample_hz, options.budget, self._readers)
        clock = _Clock(progress)
        provenance = asyncio.create_task(asyncio.to_thread(read_provenance, path))
        try:
            analysis = await analyse(media, plan, chosen, self._pipeline, clock)
        finally:
            if not provenance.done():
                await asyncio.wait({provenance})
        if not analysis.analysed:
            raise UnusableError(
                "truncated", f"{name}: nothing in it can be decoded; the file is damaged"
            )
        report = build_report(
            name,
            media.info,
            plan,
            chosen,
            analysis,
            self._policy,
            engine=self._engine_name(),
            models=self._engine.repository.members,
            settings=self._told(options, chosen.window, chosen.sample_hz),
            provenance=provenance.result(),
            max_faces=settings.max_faces,
        )
        return await explained(report, analysis.faces, self._explainer)

    def _stream_options(self, media: Media, options: ScanOptions) -> StreamOptions:
        if media.info.kind == "picture":
            return StreamOptions(sample_hz=options.sample_hz, window=1, first_verdict=1)
        # Where a file has fewer pictures to give, its windows last longer.
        rate = media.info.sampling_rate(options.sample_hz)
        window = min(
            options.window_for(media.info.duration, rate),
            self._engine.repository.sequence_length,
        )
        return StreamOptions(
            sample_hz=rate,
            window=window,
            first_verdict=min(self.settings.first_verdict, window),
            verdict_hz=min(self.settings.verdict_hz, rate),
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
        return self._engine.in_use


class _Clock:
    """Turns the share that is done into the time that is left."""

    def __init__(self, progress: Callable[[Advance], None]) -> None:
        self._progress = progress
        self._begun = time.monotonic()

    def __call__(self, share: float) -> None:
        elapsed = time.monotonic() - self._begun
        known = share >= 0.02 and elapsed > 0.5
        self._progress(Advance(share, elapsed * (1 - share) / share if known else None))


def _first(group: BaseExceptionGroup[BaseException], name: str) -> UnusableError:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            return _first(error, name)
        if isinstance(error, UnusableError):
            return error
        if isinstance(error, EngineError):
            return UnusableError("engine", f"the engine gave no answer: {error}", 503)
        if isinstance(error, OSError):
            return from_os_error(error, name)
        if isinstance(error, MemoryError):
            return UnusableError("memory", f"{name} needs more memory than there is", 413)
    raise group
