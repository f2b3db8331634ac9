"""Traces by OpenTelemetry, from a frame to its verdict, where the settings ask for them.

OpenTelemetry is imported by ``start`` and by nothing else. Until then, and for frames that are not
in the traced share, ``span`` costs next to nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

from stream_server import __version__

Kind = Literal["internal", "server", "client"]
Place = Any
"""Where in a trace something happens, by its ``Context``; nothing where it is not traced."""

_NOTHING: AbstractContextManager[None] = nullcontext()
# OpenTelemetry's own, once it is imported.
_provider: Any = None
_sender: Any = None
_tracer: Any = None


class TracingUnavailableError(ValueError):
    """Traces are asked for and what sends them is not installed."""


def start(url: str, share: float) -> None:
    """Send spans to the collector at ``url`` (OTLP over HTTP, its base address), of a ``share``
    (0 to 1) of the frames.

    Raises ``TracingUnavailableError`` where the extra ``traces`` is not installed.
    """
    global _provider, _sender, _tracer
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

        from stream_server.trace_sender import TraceSender
    except ImportError as error:
        raise TracingUnavailableError(
            f"setting traces_url = {url!r}: pip install 'fakelight[traces]' first ({error})"
        ) from None
    named = Resource.create({"service.name": "fakelight", "service.version": __version__})
    sampler = ParentBased(TraceIdRatioBased(share))
    _provider = TracerProvider(sampler=sampler, resource=named, shutdown_on_exit=False)
    _sender = TraceSender(url)
    _provider.add_span_processor(BatchSpanProcessor(_sender, schedule_delay_millis=1000))
    _tracer = _provider.get_tracer("stream_server", __version__)


def stop() -> None:
    """Send what is left, unless the collector is away, and leave off."""
    global _provider, _tracer
    provider, _provider, _tracer = _provider, None, None
    if provider is not None:
        if _sender.failing:  # or it would be waited for once more
            _sender.shutdown()
        provider.shutdown()


def here() -> Place:
    """Where a span would be hung now, for ``joined``; nothing where nothing is traced."""
    if _tracer is None:
        return None
    from opentelemetry import context, trace

    return context.get_current() if trace.get_current_span().is_recording() else None


def span(
    name: str, kind: Kind = "internal", since: float | None = None, **attributes: Any
) -> AbstractContextManager[Any]:
    """A span around what follows, below the one that is on. ``since`` (monotonic seconds) is when
    it began, where that is earlier; attributes are figures and ids of ours."""
    if _tracer is None:
        return _NOTHING
    return _begun(name, kind, since, attributes)


def inner(name: str, kind: Kind = "internal", **attributes: Any) -> AbstractContextManager[Any]:
    """The same, but nothing where no span is on: no trace begins with it."""
    return _NOTHING if here() is None else _begun(name, kind, None, attributes)


def joined(name: str, places: Iterable[Place], **attributes: Any) -> AbstractContextManager[Any]:
    """A span of work that several callers share: below the first that is traced, and linked to the
    others. ``places`` are what ``here`` gave each of them."""
    if _tracer is None:
        return _NOTHING
    traced = [place for place in places if place is not None]
    if not traced:
        return _NOTHING
    from opentelemetry import trace

    links = [trace.Link(trace.get_current_span(place).get_span_context()) for place in traced[1:]]
    made: AbstractContextManager[Any] = _tracer.start_as_current_span(
        name, context=traced[0], links=links, attributes=attributes
    )
    return made


def headers() -> tuple[tuple[str, str], ...]:
    """What tells another service which span its work belongs to (W3C Trace Context)."""
    if here() is None:
        return ()
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return tuple(carrier.items())


def trace_id() -> str:
    """The trace that is on, 32 hexadecimal digits; empty where none is."""
    if here() is None:
        return ""
    from opentelemetry import trace

    return trace.format_trace_id(trace.get_current_span().get_span_context().trace_id)


def exemplar() -> dict[str, str] | None:
    """What ties a measured value to the trace that is on."""
    return {"trace_id": found} if (found := trace_id()) else None


def _begun(
    name: str, kind: Kind, since: float | None, attributes: Mapping[str, Any]
) -> AbstractContextManager[Any]:
    from opentelemetry import trace

    start_time = None
    if since is not None:
        start_time = time.time_ns() - int((time.monotonic() - since) * 1e9)
    made: AbstractContextManager[Any] = _tracer.start_as_current_span(
        name, kind=trace.SpanKind[kind.upper()], attributes=attributes, start_time=start_time
    )
    return made
