"""Tracing that is off costs nothing; what is asked for and not installed is said."""

from __future__ import annotations

import subprocess
import sys

import pytest

from stream_server import tracing
from tests.support.collector import collecting


def test_the_server_does_not_import_opentelemetry_until_it_is_asked_to() -> None:
    code = (
        "import sys, stream_server.server.serve\n"
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_off_there_is_nothing() -> None:
    assert tracing.span("frame", stream="a") is tracing.inner("decode")
    with tracing.span("frame") as span:
        assert span is None
        assert tracing.here() is None and tracing.headers() == ()
    assert tracing.joined("batch", [None]) is tracing.inner("decode")
    assert tracing.exemplar() is None and tracing.trace_id() == ""
    tracing.stop()  # and again no harm


def test_a_missing_extra_is_named_with_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(tracing.TracingUnavailableError, match=r"traces_url.*fakelight\[traces\]"):
        tracing.start("http://127.0.0.1:1", 1.0)


def test_work_that_is_shared_hangs_below_one_caller_and_is_linked_to_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    assert tracing.inner("decode") is tracing.inner("look")  # begins no trace by itself
    places = [tracing.here()]
    for name in ("one", "two"):
        with tracing.span("frame", "server", stream=name):
            places.append(tracing.here())
            assert tracing.headers()[0][0] == "traceparent"
            assert tracing.exemplar() == {"trace_id": tracing.trace_id()}
    with tracing.joined("batch", places, rows=2), tracing.inner("infer", "client", model="m"):
        pass
    one, two, infer, batch = kept.get_finished_spans()
    assert batch.parent is not None and batch.parent.span_id == one.context.span_id
    assert [link.context.span_id for link in batch.links] == [two.context.span_id]
    assert infer.parent is not None and infer.parent.span_id == batch.context.span_id
    assert dict(one.attributes or {}) == {"stream": "one"}


@pytest.mark.patient
def test_a_collector_that_is_away_is_told_once_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    with collecting() as collector:
        url = collector.url
    tracing.start(url, 1.0)
    provider, sender = tracing._provider, tracing._sender
    for _ in range(3):
        with tracing.span("frame"):
            pass
        provider.force_flush()
    assert sender.failing
    port = int(url.rpartition(":")[2])
    with collecting(port) as collector:
        with tracing.span("seen"):
            pass
        provider.force_flush()
        assert [span.name for span in collector.spans] == ["seen"]
    with tracing.span("lost"):
        pass
    provider.force_flush()
    with tracing.span("last"):
        pass
    tried: list[object] = []
    sender._sender._client.export = tried.append
    tracing.stop()
    assert tried == []  # the collector is away: nobody waits for it at the end
    told = [one.getMessage() for one in caplog.records if one.name.startswith(("stream", "open"))]
    away = "the collector takes no traces; they are dropped until it does"
    assert told == [away, "the collector takes traces again", away]
