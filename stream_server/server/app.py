"""The Starlette application: routes and lifespan, nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from stream_server import resources
from stream_server.ingest.webrtc.whip import MAX_FRAGMENT_BYTES, MAX_SDP_BYTES, Whip
from stream_server.ingest.websocket.endpoint import stream_endpoint
from stream_server.mistakes.api import routes as mistake_routes
from stream_server.mistakes.form import BODY_BYTES as MISTAKE_BYTES
from stream_server.mistakes.store import MistakeList
from stream_server.monitors.alerts.api import routes as webhook_routes
from stream_server.monitors.alerts.service import Alerts
from stream_server.monitors.api import routes as monitor_routes
from stream_server.monitors.wiring import monitor_service
from stream_server.scan.jobs.api import routes as scan_routes
from stream_server.scan.jobs.queue import ScanQueue
from stream_server.scan.jobs.upload import FORM_BYTES
from stream_server.server import api, pages
from stream_server.server.answers import CountAnswers
from stream_server.server.body_limit import BodyLimit
from stream_server.server.gate import Gate
from stream_server.server.language import Speaking
from stream_server.server.pairing.unpaired import end_streams
from stream_server.server.problems import HANDLERS
from stream_server.server.root_path import RootPath
from stream_server.server.services import Services
from stream_server.server.swap import Swap

_BODY_BYTES = 8 * 1024  # where nothing else is said: a token or six digits
_NOTE_BYTES = 64 * 1024  # 4,000 characters, which JSON may write in 12 bytes each


def create_app(services: Services, ready: Callable[[], None] = lambda: None) -> Starlette:
    """The application over ``services``, which it closes at the end.

    ``ready`` is called once a first inference was tried.
    """

    metrics = services.metrics

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.services = services
        app.state.scans = scans = ScanQueue(
            services.settings, services.scanner, services.stopping, metrics
        )
        app.state.swap = swap = Swap(services)
        app.state.mistakes = mistakes = MistakeList(services.settings)
        app.state.alerts = alerts = Alerts(services.settings, observe=metrics.observe_attempt)
        app.state.monitors = monitors = monitor_service(services, alerts)
        unpaired = asyncio.create_task(end_streams(services.pairings, services.streams))
        try:
            await services.start()
            await services.readiness.trouble()
            scans.start()
            await monitors.start()
            ready()
            yield
        finally:
            unpaired.cancel()
            await alerts.stop()
            await monitors.stop()
            await scans.stop()
            await swap.close()
            mistakes.close()
            await services.close()

    bodies = {
        "/whip": MAX_SDP_BYTES,
        "/v1/incidents/": _NOTE_BYTES,
        "/v1/mistakes": MISTAKE_BYTES,
        "/v1/streams/": MAX_FRAGMENT_BYTES,
        "/v1/scans": services.settings.scan_max_bytes + FORM_BYTES,
    }
    return Starlette(
        routes=[
            Route("/", pages.live),
            Route("/monitor", pages.monitor),
            Route("/healthz", api.healthz),
            Route("/readyz", api.readyz),
            Route("/metrics", api.metrics),
            Route("/openapi.json", api.openapi),
            Route("/v1/info", api.info),
            Route("/v1/models", api.swap_models, methods=["POST"]),
            Route("/v1/streams", api.streams),
            Route("/v1/session", api.session, methods=["POST"]),
            Route("/v1/session/tickets", api.new_ticket, methods=["POST"]),
            Route("/v1/pairings", api.start_pairing, methods=["POST"]),
            Route("/v1/pairings", api.pairings),
            Route("/v1/pairings", api.end_pairing, methods=["DELETE"]),
            Route("/v1/pairings/asked", api.asked_pairings),
            Route("/v1/pairings/asked/{id}", api.allow_pairing, methods=["PATCH"]),
            Route("/v1/pairings/{id}", api.finish_pairing, methods=["POST"]),
            Route("/v1/pairings/{id}", api.revoke_pairing, methods=["DELETE"]),
            *scan_routes,
            *monitor_routes,
            *webhook_routes,
            *mistake_routes,
            *Whip(services).routes,
            WebSocketRoute("/v1/stream", stream_endpoint),
            Mount("/static", pages.Static(directory=resources.web_dir() / "static")),
            Mount("/extension", StaticFiles(directory=resources.extension_dir())),
        ],
        middleware=[
            Middleware(CountAnswers, metrics=metrics),
            Middleware(Speaking),
            Middleware(RootPath, prefix=services.settings.root_path),
            Middleware(
                Gate, settings=services.settings, authority=services.authority, metrics=metrics
            ),
            Middleware(pages.SecurityHeaders),
            Middleware(BodyLimit, default=_BODY_BYTES, by_path=bodies, refused=metrics.refused),
        ],
        exception_handlers=HANDLERS,
        lifespan=lifespan,
    )
