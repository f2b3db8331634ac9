"""What ``/metrics`` shows: what the catalogue says, and nothing that a stranger chose."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from scripts.metrics_reference import PAGE, page
from stream_server.live import Counters
from stream_server.protocol import Close
from stream_server.server.auth import Caller
from stream_server.server.metrics.catalogue import CATALOGUE, MODEL
from stream_server.stream import Face
from tests.support.in_process import BEARER

PROMTOOL = shutil.which("promtool")
PYTHON = ("process_", "python_")
STRANGE = "zzz-chosen-by-a-stranger"


def families(services: Any) -> Iterator[Metric]:
    yield from text_string_to_metric_families(services.metrics.text()[0].decode())


def samples(services: Any) -> dict[tuple[str, ...], float]:
    """Value by the sample's name and its labels' values, in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families(services)
        for sample in family.samples
    }


@pytest.fixture
async def busy(services: Any) -> Any:
    """Services whose engine has run once."""
    crops = np.zeros((1, 224, 224, 3), np.uint8)
    features = await services.batcher.features(crops)
    await services.batcher.verdicts(features, np.zeros((1, 10), np.float32))
    return services


async def test_what_is_shown_is_what_the_catalogue_says(busy: Any) -> None:
    shown = {}
    for family in families(busy):
        if not family.name.startswith(PYTHON):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = {key for one in family.samples for key in one.labels} - {"le"}
            shown[name] = (family.type, family.documentation, labels)
    described = {one.name: (one.kind, one.help, set(one.labels)) for one in CATALOGUE.values()}
    unseen = described.pop("fakelight_engine_calls_total")  # there is no Triton here
    assert shown.pop("fakelight_engine_calls_total")[:2] == unseen[:2]
    assert shown == described


@pytest.mark.parametrize("name", CATALOGUE)
def test_names_keep_to_the_conventions(name: str) -> None:
    """https://prometheus.io/docs/practices/naming"""
    one = CATALOGUE[name]
    assert re.fullmatch(r"fakelight(_[a-z]+)+", name)
    assert name.endswith("_total") == (one.kind == "counter")
    if one.kind == "histogram":
        assert name.endswith(("_seconds", "_rows"))
        assert list(one.buckets) == sorted(one.buckets) != []
    for label, values in one.labels.items():
        assert re.fullmatch(r"[a-z]+", label) and label not in ("le", "job", "instance")
        assert len(set(values)) == len(values) < 16
    assert one.help[0].isupper() or one.help.startswith("1 while")
    assert not one.help.endswith(".") and "|" not in one.help


async def test_prometheus_own_linter_has_nothing_to_say(busy: Any) -> None:
    if PROMTOOL is None:
        pytest.skip("no promtool here (Debian: prometheus)")
    told = "\n".join(
        line
        for line in busy.metrics.text()[0].decode().splitlines()
        if not re.match(r"(# \w+ )?python_", line)  # Python's own names are not ours to mend
    )
    done = await asyncio.to_thread(
        subprocess.run,
        [PROMTOOL, "check", "metrics"],
        input=told + "\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_no_label_says_what_a_stranger_chose(client: Any, services: Any) -> None:
    for path in (f"/{STRANGE}", f"/v1/pairings/{STRANGE}", f"/v1/scans/{STRANGE}?a={STRANGE}"):
        for method in ("GET", "POST", STRANGE.upper()):
            client.request(method, path, headers={**BEARER, "User-Agent": STRANGE})
            client.request(method, path, headers={"Host": STRANGE, "Origin": f"http://{STRANGE}"})
    client.post("/v1/pairings", headers={"Origin": f"http://{STRANGE}"})
    client.post("/v1/session", json={"token": STRANGE})
    client.post("/v1/session", content=b"x" * 100_000, headers={"X-Name": STRANGE})
    hello = {"type": "hello", "protocol": 1, "token": STRANGE, "source": {"title": STRANGE}}
    with client.websocket_connect("/v1/stream", headers={"Host": "127.0.0.1"}) as socket:
        socket.send_json(hello)
        assert socket.receive()["code"] == Close.NOT_AUTHORISED
    models = set(services.engine.repository.models)
    members = {*services.engine.repository.members, ""}
    seen = set()
    for family in families(services):
        name = family.name + ("_total" if family.type == "counter" else "")
        for one in family.samples if name in CATALOGUE else ():
            for label, value in one.labels.items():
                if label in ("le", "version"):
                    continue
                known = CATALOGUE[name].labels[label]
                allowed = {"model": models, "member": members}[label] if known == MODEL else known
                assert value in allowed, (name, label, value)
                seen.add(label)
    assert {"reason", "status", "model", "member"} <= seen
    assert STRANGE.upper() not in services.metrics.text()[0].decode().upper()
    shown = samples(services)
    for reason in ("foreign_host", "foreign_origin", "not_authorised", "too_large"):
        assert shown["fakelight_refusals_total", reason] > 0, reason
    assert shown["fakelight_http_responses_total", "4xx"] > 10


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `make docs`"


async def test_each_model_tells_its_queue_its_run_and_its_batch(busy: Any) -> None:
    shown = samples(busy)
    for model, member in (("tiny_encoder", "tiny"), ("tiny_sequence", "tiny"), ("vote", "")):
        key = ("embedded", member, model)
        assert shown["fakelight_model_run_seconds_count", *key] == 1, key
        assert shown["fakelight_model_run_seconds_sum", *key] > 0
        assert shown["fakelight_model_batch_rows_sum", *key] == 1
    assert shown["fakelight_model_queue_seconds_count", "embedded", "", "face_features"] == 1
    for kind in ("crops", "windows"):
        assert shown["fakelight_batch_queue_seconds_count", kind] == 1


def test_a_scraper_gets_the_format_that_it_asks_for(client: Any) -> None:
    plain = client.get("/metrics", headers=BEARER)
    assert plain.headers["content-type"].startswith("text/plain; version=")
    asked = {"Accept": "application/openmetrics-text; version=1.0.0"}
    open_metrics = client.get("/metrics", headers={**BEARER, **asked})
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


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
    services.metrics.observe(
        0.4, [Face(2, (0, 0, 1, 1), None, "not_enough_evidence", 0, ("dark",), {})]
    )
    shown = samples(services)
    assert shown["fakelight_face_abstentions_total", "dark"] == 1
    assert shown["fakelight_face_abstentions_total", "profile"] == 0
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


async def test_what_ends_and_what_is_dropped_has_its_reason(services: Any) -> None:
    one = services.streams.open(lambda message: None, Caller("one", "viewer"), None, None)
    one.live.skip()
    one.live.control("pause")
    one.close(Close.STOPPING, "the server is stopping")
    one.release()
    services.metrics.scans(3, 1)
    services.metrics.scanned("done", 2.0)
    services.metrics.incident("opened")
    shown = samples(services)
    assert shown["fakelight_frames_dropped_total", "not_due"] == 1
    assert shown["fakelight_frames_dropped_total", "newer_frame"] == 0
    assert shown["fakelight_streams_closed_total", "stopping"] == 1
    assert (shown["fakelight_scans_waiting",], shown["fakelight_scans_running",]) == (3, 1)
    assert shown["fakelight_scans_total", "done"] == shown["fakelight_scan_seconds_count",] == 1
    assert shown["fakelight_incidents_total", "opened"] == 1
