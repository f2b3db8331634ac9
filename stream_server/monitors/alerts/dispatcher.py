"""Sends what lies in the outbox: one task for each webhook, so that none waits for another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from stream_server.monitors.alerts.courier import Courier
from stream_server.monitors.alerts.outbox import Job, Outbox
from stream_server.monitors.alerts.outcome import AttemptResult, Outcome
from stream_server.monitors.wall_clock import WallClock

_POLL = 0.5
_SWEEP = 3600.0
_KEPT_DAYS = 30.0
_log = logging.getLogger(__name__)


class Dispatcher:
    """Looks into the outbox twice a second: what is due may have been written by another process.

    A message may go out twice, with the same id, where the server is killed or the database stops
    answering between the receiver's answer and its being written down. ``observe`` is told what
    came of each attempt.
    """

    def __init__(
        self,
        outbox: Outbox,
        courier: Courier,
        observe: Callable[[AttemptResult], None] = lambda result: None,
        *,
        poll: float = _POLL,
        clock: WallClock | None = None,
    ) -> None:
        self._outbox = outbox
        self._courier = courier
        self._observe = observe
        self._poll = poll
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._sending: set[asyncio.Task[Outcome]] = set()
        self._stopping = False
        self._loop: asyncio.Task[None] | None = None
        self._swept = 0.0
        self._clock = clock or WallClock()

    def start(self) -> None:
        """Begin, with what an earlier run has left."""
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave off; what was not delivered is delivered by the next run.

        Only what waits for a receiver is cut off. What a receiver has answered is written down and
        told first, and nothing is left taken, which would hold it up for another server.
        """
        self._stopping = True
        loop = [self._loop] if self._loop else []
        for task in (*loop, *self._sending):
            task.cancel()
        await asyncio.gather(*loop, *self._busy.values(), return_exceptions=True)

    async def _run(self) -> None:
        troubled = False
        forgotten = False
        while True:
            try:
                if not forgotten:
                    await asyncio.to_thread(self._outbox.forget_leases)
                    forgotten = True
                await self._look()
                troubled = False
            except SQLAlchemyError as error:
                if not troubled:  # once, not twice a second
                    _log.error("alerts wait: the database fails (%s)", type(error).__name__)
                troubled = True
            await asyncio.sleep(self._poll)

    async def _look(self) -> None:
        set_back = self._clock.jumped() < 0
        now = time.time()
        if set_back:
            await asyncio.to_thread(self._outbox.set_back, now)
            self._swept = min(self._swept, now)
        for webhook in await asyncio.to_thread(self._outbox.due, now):
            if webhook not in self._busy:
                self._busy[webhook] = asyncio.create_task(self._serve(webhook))
        if now - self._swept > _SWEEP:
            await asyncio.to_thread(self._outbox.expire, now - _KEPT_DAYS * 24 * 3600)
            self._swept = now

    async def _serve(self, webhook: str) -> None:
        """Send what is due to one webhook, one after the other."""
        try:
            while not self._stopping:
                job = await asyncio.to_thread(self._outbox.take, webhook, time.time())
                if job is None:
                    return
                await self._attempt(job)
        except SQLAlchemyError:
            return  # it is due again, and the loop tells what is wrong
        finally:
            del self._busy[webhook]

    async def _attempt(self, job: Job) -> None:
        delivery, webhook = job.delivery, job.webhook
        carrying = self._courier.carry(webhook, delivery.message, delivery.payload)
        sending = asyncio.create_task(carrying)
        self._sending.add(sending)
        if self._stopping:
            sending.cancel()
        try:
            outcome = await sending
        except asyncio.CancelledError:
            await asyncio.to_thread(self._outbox.release, job)
            raise
        except Exception as error:  # a mistake of ours may not hold up what comes after
            _log.error("alert %s: %s", delivery.id, type(error).__name__)
            outcome = Outcome("an internal error; see the log")
        finally:
            self._sending.discard(sending)
        if not outcome.delivered:
            _log.warning("alert %s to webhook %s: %s", delivery.id, webhook.id, outcome.error)
        self._observe(await asyncio.to_thread(self._outbox.settle, job, outcome, time.time()))
