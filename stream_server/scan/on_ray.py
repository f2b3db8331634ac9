"""``fakelight scan --ray``: inputs on the nodes of a Ray cluster, reports back to the driver.

Files are read where they lie, so they must have the same path on every node; an address is
fetched by the node that scans it. A worker opens its engine and its detector once.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

from stream_server import resources
from stream_server.engine.fingerprint import fingerprint
from stream_server.ingest.files.unusable import UnusableError
from stream_server.ray_cluster import MAX_ATTEMPTS, Cluster, ClusterError, Lost, connect, this_node
from stream_server.report.model import Report
from stream_server.scan.inputs import Input
from stream_server.scan.options import ScanOptions
from stream_server.scan.scanner import open_scanner
from stream_server.scan.spool import is_pipe
from stream_server.settings import Settings


@dataclass(frozen=True)
class Job:
    """What all inputs have in common. ``own_models``: each node takes the models that came with
    its Fakelight. ``fingerprint`` is that of the driver's models."""

    settings: Settings
    options: ScanOptions
    own_models: bool
    fingerprint: str


@dataclass(frozen=True)
class ScanUnit:
    """One input. ``here``: the driver sees the file."""

    number: int
    one: Input
    here: bool


def scan_on_cluster(
    address: str,
    settings: Settings,
    inputs: list[Input],
    options: ScanOptions,
    tell: Callable[[Report, int], None],
) -> list[Report]:
    """The reports on ``inputs``, in their order; ``tell(report, done)`` as each one comes in.

    Raises ``ClusterError`` where the cluster cannot be used.
    """
    job = job_for(settings, options)
    units = [_unit(number, one) for number, one in enumerate(inputs)]
    reports: dict[int, Report] = {}

    def collect(cluster: Cluster, todo: list[ScanUnit]) -> list[ScanUnit]:
        hopeless = []
        for outcome in cluster.run(scan_unit, job, todo):
            one = outcome.unit.one
            if isinstance(outcome, Lost):
                what = (
                    f"scanning it again, attempt {outcome.attempt + 1} of {MAX_ATTEMPTS}"
                    if outcome.again
                    else "given up"
                )
                sys.stderr.write(f"fakelight: {one.name}: {what} ({outcome.reason})\n")
                if not outcome.again:
                    reason = f"{one.name}: its worker went down {MAX_ATTEMPTS} times"
                    error = UnusableError("internal", f"{reason} ({outcome.reason})", 500)
                    hopeless.append(replace(outcome.unit, one=Input(one.name, error=error)))
                continue
            reports[outcome.unit.number] = outcome.result
            tell(outcome.result, len(reports))
        return hopeless

    with connect(address) as cluster:
        hopeless = collect(cluster, units)
        # A node knows the engine and the models that a report on a failure names too.
        if hopeless:
            collect(cluster, hopeless)
    return [reports[number] for number in range(len(inputs))]


def job_for(settings: Settings, options: ScanOptions) -> Job:
    """What the nodes need to know, and nothing secret. Raises ``OSError``: unreadable models."""
    own = settings.models == resources.models_dir()
    sent = settings.without_secrets().model_copy(update={"models": settings.models.absolute()})
    return Job(sent, options, own, fingerprint(settings.models))


def scan_unit(job: Job, unit: ScanUnit) -> Report:
    """What runs on a node."""
    global _worker
    # Ray keeps a process for one driver's work, so there is one job in its life.
    if _worker is None or _worker.job != job:
        if _worker is not None:
            _worker.close()
        _worker = _Worker(job)
    return _worker.scan(unit)


class _Worker:
    """A scanner with an event loop of its own."""

    def __init__(self, job: Job) -> None:
        self.job = job
        settings = job.settings
        if job.own_models:
            settings = settings.model_copy(update={"models": resources.models_dir()})
        if not settings.models.is_dir():
            raise ClusterError(f"node {this_node()} has no folder {settings.models} with models")
        if fingerprint(settings.models) != job.fingerprint:
            raise ClusterError(
                f"node {this_node()} has other models in {settings.models} than this machine"
            )
        self._loop = asyncio.new_event_loop()
        self._opened = AsyncExitStack()
        self._scanner = self._loop.run_until_complete(
            self._opened.enter_async_context(open_scanner(settings))
        )

    def scan(self, unit: ScanUnit) -> Report:
        one = unit.one
        if unit.here and one.path is not None and not one.path.exists():
            detail = f"{one.name}: node {this_node()} has no {one.path}; with --ray, files must"
            error = UnusableError("missing", f"{detail} have the same path on every node", 404)
            one = Input(one.name, error=error)
        return self._loop.run_until_complete(self._scanner.scan_input(one, self.job.options))

    def close(self) -> None:
        self._loop.run_until_complete(self._opened.aclose())
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()


_worker: _Worker | None = None


def _unit(number: int, one: Input) -> ScanUnit:
    if one.piped or (one.path is not None and is_pipe(one.path)):
        detail = f"{one.name}: with --ray, files are read where they lie; a pipe lies nowhere"
        return ScanUnit(number, Input(one.name, error=UnusableError("pipe", detail)), False)
    if one.path is None:
        return ScanUnit(number, one, False)
    return ScanUnit(number, replace(one, path=one.path.absolute()), one.path.exists())
