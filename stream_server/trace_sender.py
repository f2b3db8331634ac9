"""Sends spans to a collector, and says once that it is away.

Imported by ``tracing.start`` alone: nothing of OpenTelemetry is loaded before.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

_log = logging.getLogger(__name__)
# It tells of each try, which is two lines every two seconds.
logging.getLogger("opentelemetry.exporter.otlp.proto.http").setLevel(logging.CRITICAL)


class TraceSender(SpanExporter):
    """OTLP over HTTP to ``url``, the collector's base address. What cannot be sent is dropped."""

    def __init__(self, url: str) -> None:
        self._sender = OTLPSpanExporter(endpoint=url.rstrip("/") + "/v1/traces", timeout=2)
        self.failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send them. Called by a thread of its own."""
        result = self._sender.export(spans)
        failed = result is not SpanExportResult.SUCCESS
        if failed and not self.failing:
            _log.warning("the collector takes no traces; they are dropped until it does")
        if self.failing and not failed:
            _log.info("the collector takes traces again")
        self.failing = failed
        return result

    def shutdown(self) -> None:
        """Leave off, a try that is under way included."""
        self._sender.shutdown()  # type: ignore[no-untyped-call]
