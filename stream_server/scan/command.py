"""``fakelight scan``."""

from __future__ import annotations

import asyncio
import io
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TextIO

from stream_server.engine import ModelRepository
from stream_server.engine.configured import configured_engine
from stream_server.languages import _n
from stream_server.loading import loading
from stream_server.report.model import Report, at_least
from stream_server.scan.inputs import Input, expand
from stream_server.scan.options import FailOn, ScanOptions
from stream_server.scan.outputs import NO_OUTPUTS, Outputs
from stream_server.scan.progress import Advance
from stream_server.scan.terminal import TerminalProgress, conclude, tell
from stream_server.settings import Settings

FLAGGED, UNUSABLE, TERMINATED = 3, 2, 143


@dataclass(frozen=True)
class ScanRequest:
    """A scan as the command line asks for it; ``ray`` is the address of the cluster to run on;
    ``quiet`` leaves out all words but those on what went wrong."""

    inputs: Sequence[str]
    options: ScanOptions
    outputs: Outputs = NO_OUTPUTS
    fail_on: FailOn = "likely_fake"
    ray: str | None = None
    quiet: bool = False

    @property
    def told_on(self) -> TextIO:
        """Where words go: not into results."""
        return sys.stderr if self.outputs.takes_stdout else sys.stdout


def scan(settings: Settings, request: ScanRequest) -> int:
    """Scan everything, write the results, and return the exit status.

    0 nothing flagged, 3 something at or above ``fail_on``, 2 an input or an output unusable. The
    other inputs are scanned whatever happens to one, and 2 wins over 3. Raises ``UnusableError``,
    before anything is scanned, where the results cannot be written.
    """
    request.outputs.check()
    for out in (sys.stdout, sys.stderr):
        if isinstance(out, io.TextIOWrapper):
            out.reconfigure(errors="backslashreplace")  # no name ends a batch
    try:
        if request.ray is None:
            reports = asyncio.run(_scan_all(settings, request))
        else:
            reports = _scan_on_cluster(settings, request, request.ray)
    except asyncio.CancelledError:
        return TERMINATED
    status = 0
    if request.fail_on != "never" and any(
        r.error is None and at_least(r.verdict, request.fail_on) for r in reports
    ):
        status = FLAGGED
    if any(report.error is not None for report in reports):
        status = UNUSABLE
    if not request.outputs.write(reports, request.quiet):
        status = UNUSABLE
    if not request.quiet:
        conclude(reports, request.told_on)
    return status


def _tell_untrained(models: ModelRepository) -> None:
    if models.untrained:
        sys.stderr.write(f"fakelight: UNTRAINED MODELS: {models.untrained}\n")


def _inputs(request: ScanRequest) -> list[Input]:
    inputs, passed_over = expand(request.inputs)
    if passed_over and not request.quiet:
        sys.stderr.write(
            "fakelight: "
            + _n(
                "{count} file in folders is not a video or picture by its name and was passed over",
                "{count} files in folders are not videos or pictures by their names and were"
                " passed over",
                passed_over,
            )
            + "\n"
        )
    return inputs


def _scan_on_cluster(settings: Settings, request: ScanRequest, address: str) -> list[Report]:
    from stream_server.scan.on_ray import scan_on_cluster

    _tell_untrained(ModelRepository.load(settings.models))
    inputs = _inputs(request)
    show = TerminalProgress(quiet=request.quiet)

    def came(report: Report, done: int) -> None:
        show.clear()
        tell(report, request.told_on, request.quiet)
        show.show(f"{done}/{len(inputs)}", address, Advance(done / len(inputs), None))

    reports = scan_on_cluster(address, settings, inputs, request.options, came)
    show.clear()
    return reports


async def _scan_all(settings: Settings, request: ScanRequest) -> list[Report]:
    inputs = _inputs(request)
    task = asyncio.current_task()
    # Not on Windows, where Ctrl-C works all the same, nor outside the main thread.
    with suppress(NotImplementedError, ValueError, RuntimeError):
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # type: ignore[union-attr]
    engine = configured_engine(settings)
    try:
        _tell_untrained(engine.repository)
        # It opens its models while the rest of the program is loaded, which takes longer.
        await engine.start()
        with loading():
            from stream_server.scan.scanner import open_scanner
    except BaseException:
        await engine.close()
        raise
    async with open_scanner(settings, engine) as scanner:
        show = TerminalProgress(quiet=request.quiet)
        reports = []
        for number, one in enumerate(inputs, start=1):
            reports.append(
                await scanner.scan_input(
                    one, request.options, partial(show.show, f"{number}/{len(inputs)}", one.name)
                )
            )
            show.clear()
            tell(reports[-1], request.told_on, request.quiet)
        return reports
