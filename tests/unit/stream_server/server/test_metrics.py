"""What ``/metrics`` shows."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from stream_server.live import Counters
from stream_server.server.auth import Caller
from stream_server.stream import Face


def samples(services: Any) -> dict[tuple[str, ...], float]:
    """Value by the sample's name and its labels' values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(services.metrics.text().decode())
        for sample in family.samples
    }


async def test_open_and_closed_streams_are_counted(services: Any) -> None:
    one, two = (
        services.streams.open(lambda message: None, Caller("one", "viewer"), None, None)
        for _ in range(2)
    )
    one.live.counters.add(Counters(received=5, analysed=3, dropped=2, refused=1))
    one.release()
    two.live.skip()
    shown = samples(services)
    assert shown["fakelight_streams",] == 1
    counted = {result: shown["fakelight_frames_total", result] for result in vars(Counters())}
    assert counted == {"received": 6, "analysed": 3, "dropped": 3, "refused": 1}


async def test_verdicts_are_counted_with_their_lag(services: Any) -> None:
    face = Face(1, (0, 0, 1, 1), 0.9, "likely_fake", 20, (), {})
    services.metrics.observe(0.08, [face, face])
    services.metrics.observe(0.4, [])
    shown = samples(services)
    assert shown["fakelight_face_verdicts_total", "likely_fake"] == 2
    assert shown["fakelight_verdict_seconds_count",] == 2
    assert shown["fakelight_verdict_seconds_bucket", "0.1"] == 1


async def test_monitors_and_deliveries_are_counted_by_what_they_are(services: Any) -> None:
    services.metrics.watch(lambda: {"watching": 2, "paused": 1})
    services.metrics.observe_monitor(0.4)
    services.metrics.observe_monitor(-0.1)  # a clock that was set back
    services.metrics.observe_attempt("failed")
    shown = samples(services)
    found = {key[1]: value for key, value in shown.items() if key[0] == "fakelight_monitors"}
    assert found == {"connecting": 0, "watching": 2, "stalled": 0, "paused": 1, "failed": 0}
    assert shown["fakelight_monitor_verdict_seconds_count",] == 2
    assert shown["fakelight_monitor_verdict_seconds_bucket", "0.3"] == 1
    counted = "fakelight_webhook_attempts_total"
    attempts = {key[1]: value for key, value in shown.items() if key[0] == counted}
    assert attempts == {"delivered": 0, "failed": 1, "dead": 0}


async def test_the_engine_shows_its_batches_and_no_fallback(services: Any) -> None:
    shown = samples(services)
    assert shown["fakelight_engine_fallback",] == 0
    assert shown["fakelight_engine_rows_total", "crops"] == 0
    assert not any(name == "fakelight_engine_calls_total" for name, *_ in shown)
