"""Triton with the embedded engine as its stand-in: verdicts go on while Triton is down.

Down is whatever does not help a viewer: refused connections, calls over their deadline, answers
that are slow again and again, and answers that make no sense. Triton gets its traffic back by
itself, after real inferences have come back right and in time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from numpy.typing import NDArray

from stream_server.engine.base import (
    Engine,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    ModelNotFound,
    RunObserver,
)
from stream_server.engine.known_answers import KnownAnswers
from stream_server.engine.spec import Arrays

log = logging.getLogger(__name__)
_T = TypeVar("_T")


@dataclass(slots=True)
class FallbackStats:
    """Counts since the start, for metrics."""

    primary_calls: int = 0
    primary_failures: int = 0
    primary_busy: int = 0
    standby_calls: int = 0
    fallbacks: int = 0
    returns: int = 0
    probes: int = 0
    probes_failed: int = 0


@dataclass(frozen=True, slots=True)
class FallbackPolicy:
    """When the primary counts as down, and when as up again.

    Attributes:
        call_timeout: seconds one call may take before the stand-in answers instead. Raising it
            forgives a slower server and makes a hang as much longer for the viewer.
        slow_after: seconds from which an answer counts as slow.
        slow_calls: slow answers of one model in a row that count as down.
        busy_calls: refusals for a full queue in a row that count as down.
        probe_interval: seconds between probes while the primary is down.
        check_interval: seconds between probes while it is up, so that an idle server notices.
        good_probes: good probes in a row before traffic returns; doubled, up to 16, each time
            the primary goes down again within ``stable_after`` seconds.
        stable_after: see ``good_probes``.
    """

    call_timeout: float = 1.0
    slow_after: float = 0.5
    slow_calls: int = 5
    busy_calls: int = 20
    probe_interval: float = 1.0
    check_interval: float = 10.0
    good_probes: int = 2
    stable_after: float = 60.0


class FallbackEngine:
    """An engine that answers from ``primary`` while it is well and from ``standby`` else.

    Args:
        primary: the engine to use, normally Triton.
        standby: the engine that stands in, normally the embedded one.
        policy: when to change over.
        clock: seconds, monotonic; for tests.
    """

    def __init__(
        self,
        primary: Engine,
        standby: Engine,
        policy: FallbackPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.primary = primary
        self.standby = standby
        self.policy = policy or FallbackPolicy()
        self.repository = standby.repository
        self.name = primary.name
        self.fallback = False
        self.reason = ""
        self.stats = FallbackStats()
        self._clock = clock
        self._answers = KnownAnswers(standby)
        self._watcher: asyncio.Task[None] | None = None
        self._slow: Counter[str] = Counter()
        self._busy = 0
        self._needed = self.policy.good_probes
        self._returned_at: float | None = None
        self._closed = False

    @property
    def crop_batch(self) -> int:
        """What suits the engine in use."""
        return (self.standby if self.fallback else self.primary).crop_batch

    @property
    def parallel(self) -> int:
        """What suits the engine in use."""
        return (self.standby if self.fallback else self.primary).parallel

    @property
    def in_use(self) -> str:
        """Name of the engine that answers now."""
        return self.standby.name if self.fallback else self.primary.name

    def observe(self, observer: RunObserver) -> None:
        """Let ``observer`` hear of every run of both engines."""
        self.primary.observe(observer)
        self.standby.observe(observer)

    def counts(self) -> dict[str, int]:
        """The counts since the start, by name."""
        return asdict(self.stats)

    async def start(self) -> None:
        """Begin watching the primary; the first call to ``infer`` does it too."""
        if self._watcher is None and not self._closed:
            self._watcher = asyncio.create_task(self._watch(), name="fakelight-engine-watch")

    async def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model or ensemble on the engine in use; see ``Engine.infer``.

        A call that the primary fails is answered by the standby, so its caller sees a delay of
        at most ``call_timeout`` and no error.
        """
        if self._closed:
            raise EngineUnavailable("the engine is closed")
        await self.start()
        if self.fallback:
            self.stats.standby_calls += 1
            return await self.standby.infer(model, inputs)
        began = self._clock()
        try:
            answer = await self._timed(self.primary.infer(model, inputs))
        except EngineBusy as error:
            self.stats.primary_busy += 1
            self._busy += 1
            if self._busy >= self.policy.busy_calls:
                self._go_down(f"{self._busy} refusals in a row: {error}")
            raise
        except (InvalidInput, ModelNotFound):
            raise
        except EngineError as error:
            return await self._rescue(model, inputs, error)
        self.stats.primary_calls += 1
        self._busy = 0
        self._note_pace(model, self._clock() - began)
        return answer

    async def infer_aside(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model past the bookkeeping; see ``Engine.infer_aside``.

        A primary without that model, or with another, is made up for by the standby.
        """
        if not self.fallback:
            with suppress(EngineError):
                return await self.primary.infer_aside(model, inputs)
        return await self.standby.infer_aside(model, inputs)

    async def probe(self) -> None:
        """A real inference through the engine that would answer now; raises EngineUnavailable."""
        if not self.fallback:
            try:
                await self._timed(self.primary.probe(), calls=2)
                return
            except EngineError as error:
                self._go_down(str(error))
        await self.standby.probe()

    async def close(self) -> None:
        """Stop watching and close both engines."""
        self._closed = True
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.gather(self._watcher, return_exceptions=True)
        await self.primary.close()
        await self.standby.close()

    async def _rescue(
        self, model: str, inputs: Arrays, error: EngineError
    ) -> dict[str, NDArray[Any]]:
        self.stats.primary_failures += 1
        self.stats.standby_calls += 1
        try:
            answer = await self.standby.infer(model, inputs)
        except (InvalidInput, ModelNotFound):
            raise  # both failed over what the caller sent: no word on the primary's health
        except EngineError:
            self._go_down(str(error))
            raise
        self._go_down(str(error))
        return answer

    async def _timed(self, call: Awaitable[_T], calls: int = 1) -> _T:
        try:
            async with asyncio.timeout(self.policy.call_timeout * calls):
                return await call
        except TimeoutError as error:
            raise EngineUnavailable(
                f"{self.primary.name}: no answer within {self.policy.call_timeout:g} s"
            ) from error

    def _note_pace(self, model: str, seconds: float) -> None:
        # By model: quick verdicts must not hide slow features.
        self._slow[model] = self._slow[model] + 1 if seconds > self.policy.slow_after else 0
        if self._slow[model] >= self.policy.slow_calls:
            self._go_down(
                f"{self.primary.name}: {self._slow[model]} answers of {model} in a row took over "
                f"{self.policy.slow_after:g} s"
            )

    def _go_down(self, reason: str) -> None:
        if self.fallback:
            return
        now = self._clock()
        relapse = (
            self._returned_at is not None and now - self._returned_at < self.policy.stable_after
        )
        self._needed = min(16, self._needed * 2) if relapse else self.policy.good_probes
        self._slow.clear()
        self._busy = 0
        self.stats.fallbacks += 1
        self._change(True, reason)

    def _go_up(self) -> None:
        self._returned_at = self._clock()
        self.stats.returns += 1
        self._change(False, f"{self._needed} good probes in a row")

    def _change(self, fallback: bool, reason: str) -> None:
        self.fallback, self.reason = fallback, reason
        log.warning("engine is now %s: %s", self.in_use, reason)

    async def _watch(self) -> None:
        """Probe for as long as the engine is open: often while down, now and then while up."""
        good = 0
        while True:
            problem = await self._check_primary()
            if problem:
                good = 0
                self._go_down(problem)
            elif self.fallback:
                good += 1
                if good >= self._needed:
                    good = 0
                    self._go_up()
            await self._pause()

    async def _pause(self) -> None:
        policy = self.policy
        waited = 0.0
        # In short steps, so that a server that goes down is probed from then on, not only at the
        # end of the long interval.
        while waited < (policy.probe_interval if self.fallback else policy.check_interval):
            step = min(policy.probe_interval, policy.check_interval)
            await asyncio.sleep(step)
            waited += step

    async def _check_primary(self) -> str:
        """What is wrong with the primary, or an empty string."""
        self.stats.probes += 1
        began = self._clock()
        try:
            # Two calls, and before the first time the standby's own two.
            await self._timed(self._answers.compare(self.primary), calls=4)
        except EngineBusy:
            return "" if not self.fallback else self._probe_failed("its queue is full")
        except EngineError as error:
            return self._probe_failed(str(error))
        except Exception as error:  # the watch must go on, whatever an engine throws at it
            log.exception("probe of %s", self.primary.name)
            return self._probe_failed(f"{type(error).__name__}: {error}")
        took = self._clock() - began
        # Two calls; while up, only real traffic may say slow: a probe queues behind it.
        if self.fallback and took > 2 * self.policy.slow_after:
            return self._probe_failed(f"a probe took {took:.2f} s")
        return ""

    def _probe_failed(self, reason: str) -> str:
        self.stats.probes_failed += 1
        return reason
