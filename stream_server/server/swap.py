"""Other models in a running server: load, check, switch, free. No stream ends over it.

A stream changes between two frames. Its faces stay who they are; what was gathered of them is of
the old networks, so each is judged anew after its first samples. A scan goes on to its end with the
models that it began with.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from stream_server.engine import EngineError, RepositoryError, open_engine
from stream_server.engine.base import Engine
from stream_server.engine.check import check_repository
from stream_server.engine.configured import configured_engine
from stream_server.engine.fallback import FallbackEngine
from stream_server.engine.known_answers import KnownAnswers
from stream_server.problem import ProblemError
from stream_server.server.loaded import Loaded
from stream_server.server.services import Services
from stream_server.settings import Settings

_log = logging.getLogger(__name__)
_LOOK = 0.1  # seconds between two looks whether the old models are still in use


class Swap:
    """Swaps the models of one server, one swap at a time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._busy = asyncio.Lock()
        self._retiring: set[asyncio.Task[None]] = set()

    async def to(self, models: Path, triton_url: str = "") -> None:
        """Go over to the repository at ``models``; with Triton, to the server at ``triton_url``,
        which serves it already.

        Raises ``ProblemError``: 409 while another swap is under way or where Triton's address is
        missing, 422 for models that do not pass. Then everything is as before.
        """
        if self._busy.locked():
            raise ProblemError(409, "another swap of models is under way")
        settings = self._services.settings
        if settings.engine == "triton" and not triton_url:
            raise ProblemError(
                409,
                "Triton loads its models when it starts: start another one over the new models and"
                " name its address (--triton-url)",
            )
        chosen = {"models": models, "triton_url": triton_url or settings.triton_url}
        async with self._busy:
            findings: Sequence[object]
            try:
                findings = await asyncio.to_thread(check_repository, models)
            except OSError as error:  # a name that is too long, a file that may not be read
                findings = [error.strerror or type(error).__name__]
            if findings:
                told = "; ".join(str(one) for one in findings[:5])
                raise ProblemError(422, f"these models do not pass, nothing was changed: {told}")
            loaded = await self._load(settings.model_copy(update=chosen))
            old = self._services.switch(loaded)
            retiring = asyncio.create_task(self._retire(old))
            self._retiring.add(retiring)
            retiring.add_done_callback(self._retiring.discard)
        members = ", ".join(loaded.engine.repository.members)
        _log.info("models swapped (%s engine, %s)", loaded.engine.in_use, members)
        if untrained := loaded.engine.repository.untrained:
            _log.warning("UNTRAINED MODELS: %s", untrained)

    async def close(self) -> None:
        """Free what still waits to be freed."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)

    async def _load(self, settings: Settings) -> Loaded:
        try:
            engine = await asyncio.to_thread(configured_engine, settings)
            try:
                self._fit(engine)
                await _check(engine, settings)
                return Loaded(engine)
            except BaseException:
                await engine.close()
                raise
        except (RepositoryError, EngineError, ValueError, OSError) as error:
            raise ProblemError(
                422, f"these models do not pass, nothing was changed: {error}"
            ) from error

    def _fit(self, engine: Engine) -> None:
        """Raises ``ValueError`` for models that cannot take the windows that are asked for."""
        most = engine.repository.sequence_length
        longest = max(
            self._services.settings.window, *(s.window for s in self._services.streams), 1
        )
        if longest > most:
            raise ValueError(
                f"they look back on {most} samples at most, and {longest} are asked for"
                " (FAKELIGHT_WINDOW, or an open stream)"
            )

    async def _retire(self, old: Loaded) -> None:
        try:
            while self._services.uses(old):  # noqa: ASYNC110 - a frame and a scan end in many ways
                await asyncio.sleep(_LOOK)
        finally:
            await old.close()
        _log.info("the models from before are freed")


async def _check(engine: Engine, settings: Settings) -> None:
    """A real inference; and Triton has to give the answers that an engine of our own gives."""
    if isinstance(engine, FallbackEngine):
        await KnownAnswers(engine.standby).compare(engine.primary)
    elif settings.engine == "triton":
        own = await asyncio.to_thread(open_engine, "embedded", settings.models)
        try:
            await KnownAnswers(own).compare(engine)
        finally:
            await own.close()
    await engine.probe()
