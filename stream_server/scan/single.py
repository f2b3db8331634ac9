"""One input, from the command line to its report."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from pathlib import Path

from stream_server.ingest.files.fetch import fetch
from stream_server.ingest.files.unusable import UnusableError, from_os_error
from stream_server.report.model import Report
from stream_server.scan.inputs import Input
from stream_server.scan.options import ScanOptions
from stream_server.scan.scanner import Advance, Scanner


async def scan_one(
    scanner: Scanner,
    one: Input,
    options: ScanOptions,
    progress: Callable[[Advance], None] = lambda advance: None,
) -> Report:
    """The report on ``one``, fetched first if it is an address; never raises for a bad input."""
    try:
        if one.error is not None:
            raise one.error
        with tempfile.TemporaryDirectory(prefix="fakelight-") as folder:
            path = one.path
            if one.url is not None:
                limit = scanner.settings.scan_max_bytes
                path = await asyncio.to_thread(fetch, one.url, Path(folder), limit)
            assert path is not None
            return await scanner.scan(path, one.name, options, progress)
    except UnusableError as error:
        return scanner.failed(one.name, options, error)
    except OSError as error:
        return scanner.failed(one.name, options, from_os_error(error, one.name))
