"""A scanner with all that it needs, opened from the settings and closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from stream_server.engine import MicroBatcher
from stream_server.engine.configured import configured_engine
from stream_server.scan.scanner import Scanner
from stream_server.settings import Settings
from stream_server.vision.detect import FaceDetector


@asynccontextmanager
async def open_scanner(settings: Settings) -> AsyncIterator[Scanner]:
    """A scanner that has its engine, batcher and detector to itself.

    Wherever it runs it has as many readers: the plan, and so the answer, depends on them. Raises
    what ``open_engine`` raises.
    """
    engine = configured_engine(settings)
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
