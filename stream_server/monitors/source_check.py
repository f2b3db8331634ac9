"""Whether an address may be monitored at all, asked when somebody names it.

Only what can be told at once: the reader asks again, on every connection that it makes.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from stream_server.addresses import AllowedHosts, RefusedAddressError, resolve_checked
from stream_server.languages import worded
from stream_server.monitors.reasons import told_later
from stream_server.monitors.source import PUSHED
from stream_server.problem import ProblemError
from stream_server.settings import Settings

SCHEMES = {"http": 80, "https": 443, "rtmp": 1935, "rtmps": 443, "rtsp": 554, "rtsps": 322}
SCHEMES |= {"udp": 1234, "srt": 1234}
_SECONDS = 5.0


async def check_source(url: str, settings: Settings) -> None:
    """Raises ``ProblemError`` (422) for what will never be read; a name that is not found now may
    be found later."""
    if url == PUSHED:
        if settings.ray:
            raise _refused(
                worded("what is pushed comes to this server, and monitors are on a cluster")
            )
        return
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refused(worded("the address cannot be read")) from None
    if parts.scheme == "file":
        if not settings.monitor_files:
            raise _refused(
                worded("files are not monitored: FAKELIGHT_MONITOR_FILES names no folder")
            )
        return
    if parts.scheme not in SCHEMES:
        known = ", ".join([*SCHEMES, PUSHED.rstrip(":")])
        raise _refused(
            worded(
                "{scheme} addresses are not monitored; what is: {known}",
                scheme=repr(parts.scheme[:20]),
                known=known,
            )
        )
    if not host:
        raise _refused(worded("the {scheme} address names no host", scheme=parts.scheme))
    try:
        async with asyncio.timeout(_SECONDS):
            allowed = AllowedHosts.parse(settings.monitor_hosts)
            await resolve_checked(host, port or SCHEMES[parts.scheme], allowed)
    except RefusedAddressError as error:
        raise _refused(told_later(str(error))) from None
    except (OSError, UnicodeError, TimeoutError):
        return


def _refused(why: str) -> ProblemError:
    return ProblemError(422, why, code="refused")
