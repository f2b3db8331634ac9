"""Running the server: the sockets, the signals and what is printed at the start."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.server import HANDLED_SIGNALS

from stream_server import __version__, logs, resources, tracing
from stream_server.engine.configured import configured_engine
from stream_server.ingest.websocket.limited_protocol import LimitedWebSocketProtocol
from stream_server.problem import ProblemError
from stream_server.server import garbage, open_files
from stream_server.server.app import create_app
from stream_server.server.hang_up import HangUp
from stream_server.server.limited_http import LimitedHttpProtocol
from stream_server.server.preflight import check_models, check_settings
from stream_server.server.services import Services
from stream_server.server.token_file import load_token
from stream_server.settings import Settings

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_GOODBYE_SECONDS = 0.5
_GONE_MS = 60_000
_UNSENT_BYTES = 128 * 1024
_log = logging.getLogger(__name__)


class _Server(uvicorn.Server):
    """uvicorn, but streams hear that the server stops before their sockets close."""

    def __init__(
        self, config: uvicorn.Config, app: Starlette, services: Services, hang_up: HangUp
    ) -> None:
        super().__init__(config)
        self._app = app
        self._reloading: asyncio.Task[None] | None = None
        self._collecting: asyncio.Task[None] | None = None
        self._hang_up = hang_up
        self._services = services

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on a signal, and leave it at that: uvicorn would raise it again at the end, and a
        server that stopped as it was asked would look as if it had crashed."""
        before = {sig: signal.signal(sig, self.handle_exit) for sig in HANDLED_SIGNALS}
        try:
            yield
        finally:
            for sig, handler in before.items():
                signal.signal(sig, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._collecting = asyncio.create_task(garbage.collect())
        self._hang_up.hear(self._hung_up)

    def _hung_up(self) -> None:
        """The same signal says that the terminal was closed and, without one, to read anew."""
        if self._hang_up.terminal_closed:
            self.handle_exit(signal.SIGHUP, None)
            return
        self._reloading = asyncio.create_task(self._read_models_anew())

    async def _read_models_anew(self) -> None:
        try:
            await self._app.state.swap.to(self._services.settings.models)
        except ProblemError as error:
            _log.error("the models were not read anew: %s", error)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._collecting is not None:
            self._collecting.cancel()
        # Who comes from now on is refused, so that a balancer takes another server.
        for server in self.servers:
            server.close()
        self._services.stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GOODBYE_SECONDS):
                await self._services.streams.empty.wait()
        await asyncio.sleep(0.05)  # the close frames are on their way
        await super().shutdown(sockets)


def serve(settings: Settings) -> int:
    """Serve until interrupted; the process's exit status.

    Raises ``SettingsError``, ``TokenError``, ``RepositoryError``, ``TracingUnavailableError`` or
    ``OSError`` for what keeps it from starting.
    """
    hang_up = HangUp()
    check_settings(settings)
    logs.configure(settings.log_level, settings.log_format)
    if settings.traces_url:
        tracing.start(settings.traces_url, settings.traces_share)
    token = load_token(settings)
    open_files.raise_limit()
    listening = _listen(settings.host, settings.port)
    try:
        engine = configured_engine(settings)
        check_models(settings, engine.repository)
        services = Services(settings, token, engine)
        app = create_app(services, lambda: _greet(services, listening))
        http: Any = partial(LimitedHttpProtocol, refused=services.metrics.refused)
        config = uvicorn.Config(
            app,
            http=http,
            ws=LimitedWebSocketProtocol,
            ws_max_size=settings.max_message_bytes,
            ws_per_message_deflate=False,  # pictures do not shrink twice
            lifespan="on",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
        _Server(config, app, services, hang_up).run(sockets=[listening])
    finally:
        listening.close()
        tracing.stop()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    if sys.platform != "win32":
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    # Connections inherit them. A client that is gone without a word is noticed by what it does not
    # acknowledge; the system's own patience is a quarter of an hour.
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _GONE_MS)
    # What a client does not read waits here, where it is bounded, and not in the kernel, which
    # would take megabytes for each.
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    # From here on a client waits instead of being refused while the models load.
    listening.listen(128)
    listening.set_inheritable(True)
    return listening


def _greet(services: Services, listening: socket.socket) -> None:
    settings, token = services.settings, services.authority.token
    models = services.engine.repository
    port = listening.getsockname()[1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host
    shown = f"[{host}]" if ":" in host else host
    if settings.log_format == "json":
        _log.info("serving on http://%s:%d (%s engine)", shown, port, services.engine.in_use)
        return
    lines = [
        f"Fakelight {__version__} is serving on http://{shown}:{port}"
        f" ({services.engine.in_use} engine, {', '.join(models.members)})",
        "",
        f"  live page   http://{shown}:{port}/#token={token}",
        f"  check files http://{shown}:{port}/scan#token={token}",
        f"  monitors    http://{shown}:{port}/monitor#token={token}",
        "  extension   in the browser's extensions page, Load unpacked:",
        f"              {resources.extension_dir()}",
        "              the page that opens then asks to be let in: a click on the live page,",
        "              or six digits that appear here",
        "",
        "  It judges face manipulation, not sound and not wholly generated video, and it errs.",
        "  The model weights were trained on research-only data: for research use only"
        f" ({settings.models / 'LICENSE'}).",
        "",
    ]
    if models.untrained:
        lines[-2:-1] = [f"  UNTRAINED MODELS: {models.untrained}."]
    if settings.host not in _LOOPBACK:
        lines.insert(1, f"  Anyone who can reach {settings.host} can try the token: use TLS.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()
