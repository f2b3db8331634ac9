"""The routes, over a server in this process and a real database."""

from __future__ import annotations

import io
import json
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from stream_server.monitors.evidence import clip, jpeg
from stream_server.server.app import create_app
from tests.support.in_process import BEARER, services_in
from tests.support.monitored import stretch
from tests.support.scan_media import moving_face
from training.__main__ import main as training
from training.data.manifest import Manifest

SECRET = "opensesame"
# Nothing listens there: it is tried again and again.
URL = f"http://reader:{SECRET}@127.0.0.1:9/live.m3u8?key={SECRET}#{SECRET}"
VIEWER = {"Authorization": "Bearer a-viewer-s-token-1"}
DESK = {"Authorization": "Bearer an-operator-s-token"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    services = services_in(
        tmp_path,
        monitor_hosts="127.0.0.1",
        max_monitors=3,
        incident_days=100_000,  # those of the tests are from 1970
        tokens={
            "guest": {"role": "viewer", "token": "a-viewer-s-token-1"},
            "desk": {"role": "operator", "token": "an-operator-s-token"},
        },
    )
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        yield client


@pytest.fixture
def table(client: Any) -> Any:
    service = client.app.state.monitors
    end = time.monotonic() + 60
    while not service._settled:  # it closes what it finds open of monitors that are not there
        assert time.monotonic() < end
        time.sleep(0.01)
    return service.incidents


def create(client: Any, **fields: Any) -> Any:
    return client.post("/v1/monitors", json={"url": URL, **fields})


def test_a_monitor_is_made_read_changed_and_removed(client: Any) -> None:
    made = create(client, name=" Desk ", sample_hz=5, evidence=True)
    assert made.status_code == 201
    monitor = made.json()
    assert made.headers["location"] == f"/v1/monitors/{monitor['id']}"
    assert (monitor["name"], monitor["sample_hz"], monitor["evidence"]) == ("Desk", 5, True)
    assert monitor["state"] == "connecting" and monitor["faces"] == []
    at = made.headers["location"]
    read = client.get(at).json()
    assert read["id"] == monitor["id"] and read["timeline"] == []
    assert [one["id"] for one in client.get("/v1/monitors").json()] == [monitor["id"]]
    assert client.patch(at, json={"paused": True}).json()["state"] == "paused"
    assert client.get(at).json()["state"] == "paused"
    assert client.patch(at, json={"paused": False}).json()["state"] == "connecting"
    assert client.patch(at, json={"name": "Other"}).json()["name"] == "Other"
    assert client.get(f"{at}/picture.jpg").status_code == 404
    assert client.delete(at).status_code == 204
    assert client.get(at).status_code == 404 and client.get("/v1/monitors").json() == []


def test_without_a_name_it_is_called_by_its_address(client: Any) -> None:
    assert create(client).json()["name"] == "127.0.0.1:9/live.m3u8"


def test_credentials_are_told_to_nobody(client: Any, caplog: Any, tmp_path: Path) -> None:
    texts = [create(client).text, client.get("/v1/monitors").text]
    texts += [create(client, url=f"gopher://x:{SECRET}@host/{SECRET}", name="n").text]
    texts += [create(client, url=URL, nonsense=SECRET).text, create(client, url=[SECRET]).text]
    texts += [create(client, url=f"http://x:{SECRET}@10.0.0.1/?k={SECRET}").text]
    texts += [create(client, url=f"http://x:{SECRET}@[/{SECRET}").text]
    service = client.app.state.monitors
    texts += [str(one) for one in service.teller._known.values()]
    assert [text for text in texts if SECRET in text] == []
    assert SECRET not in caplog.text
    assert service.monitors.all()[0].url == URL  # a restart connects as before


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"name":"no url"}',
        b'{"url":7}',
        b'{"url":""}',
        b'{"url":"http://h/","sample_hz":0}',
        b'{"url":"http://h/","sample_hz":"5"}',
        b'{"url":"http://h/","sample_hz":NaN}',
        b'{"url":"http://h/","more":1}',
        b'{"url":"http://h/","evidence":1}',
    ],
)
def test_what_is_no_monitor(client: Any, body: bytes) -> None:
    answer = client.post("/v1/monitors", content=body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://10.1.2.3/a.m3u8", "FAKELIGHT_MONITOR_HOSTS"),
        ("rtsp://169.254.169.254/", "FAKELIGHT_MONITOR_HOSTS"),
        ("rtmp://[::1]/live/a", "FAKELIGHT_MONITOR_HOSTS"),
        ("http://2130706434/", ""),
        ("file:///etc/passwd", "FAKELIGHT_MONITOR_FILES"),
        ("concat:a.ts|b.ts", "not monitored"),
        ("data:video/mp4;base64,AAAA", "not monitored"),
        ("subfile,,start,0,end,9,,:/etc/passwd", "not monitored"),
        ("/etc/passwd", "not monitored"),
        ("http:///nowhere", "no host"),
        ("http://host:port/", "cannot be read"),
    ],
)
def test_what_is_never_watched_is_refused_at_once(client: Any, url: str, says: str) -> None:
    answer = create(client, url=url)
    assert answer.status_code == 422, answer.text
    assert answer.json()["code"] == "refused" and says in answer.json()["detail"]


def test_metrics_count_the_monitors(client: Any) -> None:
    at = create(client).headers["location"]
    create(client)
    client.patch(at, json={"paused": True})
    wanted = (
        'fakelight_monitors{state="paused"} 1.0',
        'fakelight_monitors{state="connecting"} 1.0',
    )
    for _ in range(600):  # a look a second
        told = client.get("/metrics").text
        if all(line in told for line in wanted):
            return
        time.sleep(0.1)
    raise AssertionError(told)


def test_there_is_a_limit(client: Any) -> None:
    assert [create(client).status_code for _ in range(4)] == [201, 201, 201, 429]


def test_viewers_are_kept_out(client: Any) -> None:
    for path in ("/v1/monitors", "/v1/monitors/events", "/v1/incidents", "/v1/incidents/wrong.zip"):
        assert client.get(path, headers=VIEWER).status_code == 403
        assert client.get(path, headers={"Authorization": ""}).status_code == 401


def test_what_is_not_there(client: Any) -> None:
    for path in ("/v1/monitors/none", "/v1/incidents/none", "/v1/incidents/none/still.jpg"):
        answer = client.get(path)
        assert answer.status_code == 404 and "none" in answer.json()["detail"]
    assert client.patch("/v1/monitors/none", json={"paused": True}).status_code == 404
    assert client.delete("/v1/incidents/none").status_code == 404


def test_nothing_to_change_is_told(client: Any, table: Any) -> None:
    at = create(client).headers["location"]
    table.save([stretch()], None)
    for path in (at, "/v1/incidents/i1"):
        assert client.patch(path, json={}).status_code == 400
        assert client.patch(path, json={"state": "watching"}).status_code == 400


def test_incidents_are_listed_as_the_contract_says(client: Any, table: Any) -> None:
    table.save([stretch(1).closed(), stretch(2)], None)
    newest, oldest = client.get("/v1/incidents").json()
    assert (newest["id"], newest["closed_at"]) == ("i2", None)
    assert oldest == {
        "id": "i1",
        "monitor": "m",
        "monitor_name": "",
        "track": 1,
        "opened_at": 1000.0,
        "closed_at": 1002.0,
        "media_start_s": 10.0,
        "media_end_s": 12.0,
        "peak": 0.9,
        "mean": 0.8,
        "verdict": "likely_fake",
        "members": {"one": 0.9},
        "box": [0.4, 0.3, 0.2, 0.3],
        "acknowledged": False,
        "wrong": False,
        "note": "",
        "marked_by": None,
        "marked_at": None,
        "evidence": [],
    }
    one = client.get("/v1/incidents/i1").json()
    assert one == {**oldest, "timeline": []}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("monitor=m", ["i2", "i1"]),
        ("monitor=n", []),
        ("state=open", ["i2"]),
        ("state=closed", ["i1"]),
        ("state=", ["i2", "i1"]),
        ("before=2000", ["i1"]),
        ("before=2000&before_id=i1", ["i2", "i1"]),
        ("before=2000&before_id=i2", ["i1"]),
        ("limit=1", ["i2"]),
    ],
)
def test_incidents_are_filtered(client: Any, table: Any, query: str, found: Any) -> None:
    table.save([stretch(1).closed(), stretch(2)], None)
    assert [one["id"] for one in client.get(f"/v1/incidents?{query}").json()] == found


@pytest.mark.parametrize("query", ["state=odd", "limit=0", "limit=x", "before=nan", "limit=9999"])
def test_a_filter_that_is_none_is_refused(client: Any, query: str) -> None:
    assert client.get(f"/v1/incidents?{query}").status_code == 400


def test_marks_say_who(client: Any, table: Any) -> None:
    table.save([stretch().closed()], None)
    at = "/v1/incidents/i1"
    marked = client.patch(at, json={"acknowledged": True}).json()
    assert (marked["acknowledged"], marked["marked_by"]) == (True, "owner")
    marked = client.patch(at, json={"wrong": True, "note": "ours"}, headers=DESK).json()
    assert (marked["wrong"], marked["note"], marked["marked_by"]) == (True, "ours", "desk")
    marked = client.patch(at, json={"wrong": False, "by": "Ada"}, headers=DESK).json()
    assert (marked["acknowledged"], marked["wrong"], marked["marked_by"]) == (True, False, "Ada")
    assert client.patch(at, json={"note": "x" * 4001}).status_code == 400


@pytest.mark.parametrize("letter", ["x", "д", "🎭"])
def test_a_note_has_room_for_4000_characters_of_any_script(
    client: Any, table: Any, letter: str
) -> None:
    table.save([stretch().closed()], None)
    body = json.dumps({"note": letter * 4000})  # those beyond ASCII escaped
    assert client.patch("/v1/incidents/i1", content=body).json()["note"] == letter * 4000
    assert client.patch("/v1/incidents/i1", content=b" " * 65537).status_code == 413


def test_an_open_incident_cannot_be_forgotten(client: Any, table: Any) -> None:
    table.save([stretch(1), stretch(2).closed()], None)
    assert client.delete("/v1/incidents/i1").status_code == 409
    assert client.delete("/v1/incidents/i2").status_code == 204
    assert [one["id"] for one in client.get("/v1/incidents").json()] == ["i1"]


def test_what_is_kept_of_an_incident(client: Any, table: Any) -> None:
    table.save([stretch()], None)
    assert client.get("/v1/incidents/i1/still.jpg").status_code == 404
    table.keep_picture("i1", "still", "image/jpeg", b"jpeg")
    table.keep_picture("i1", "heat", "application/json", b"{}")
    still = client.get("/v1/incidents/i1/still.jpg")
    assert still.content == b"jpeg" and still.headers["content-type"] == "image/jpeg"
    assert client.get("/v1/incidents/i1/heat.json").json() == {}
    assert client.get("/v1/incidents/i1/other.png").status_code == 404
    assert client.get("/v1/incidents/i1").json()["evidence"] == ["heat", "still"]


def test_what_was_marked_wrong_goes_into_the_training_as_real(
    client: Any, table: Any, tmp_path: Path
) -> None:
    face = moving_face()
    made = clip([(at / 10, jpeg(face(at / 10))) for at in range(30)])  # as a monitor keeps it
    table.save([stretch(number).closed() for number in (1, 2, 3)], None)
    for number in (1, 3):
        table.keep_picture(f"i{number}", "clip", "video/mp4", made)
    for number in (1, 2):
        table.mark(f"i{number}", "desk", wrong=True)
    answer = client.get("/v1/incidents/wrong.zip")
    assert answer.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path / "set")
    command = ["extract", str(tmp_path / "set"), "--layout", "clips", "--out"]
    assert training([*command, str(tmp_path / "shards")]) == 0
    samples = [row.sample for row in Manifest.scan(tmp_path / "shards").rows]
    # i2 has no clip, i3 is not wrong.
    about = {(one.video, one.label, one.dataset, one.identities) for one in samples}
    assert about == {("i1", "real", "monitors", ("monitors:m",))}
    assert len(samples) == 30


def test_events_begin_with_how_it_stands(client: Any) -> None:
    monitor = create(client).json()
    service = client.app.state.monitors
    with client.stream("GET", "/v1/monitors/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        client.portal.call(service._stopping.set)
        lines = [line for line in stream.iter_lines() if line]
    assert lines[0] == "event: monitor"
    assert json.loads(lines[1].removeprefix("data: "))["id"] == monitor["id"]


def test_no_event_is_lost_while_the_monitors_are_read(client: Any, monkeypatch: Any) -> None:
    service = client.app.state.monitors
    client.portal.call(service._tasks[0].cancel)  # nobody else reads them
    read, told = service.monitors.all, threading.Event()

    def reading() -> Any:
        rows = read()
        client.portal.call(service.events.publish, "incident.opened", {"id": "i1"})
        told.set()
        return rows

    monkeypatch.setattr(service.monitors, "all", reading)
    with client.stream("GET", "/v1/monitors/events") as stream:
        assert told.wait(60)
        client.portal.call(service._stopping.set)
        lines = [line for line in stream.iter_lines() if line]
    assert lines == ["event: incident.opened", 'data: {"id": "i1"}']


def test_while_the_database_is_away_every_route_says_so(tmp_path: Path) -> None:
    address = f"postgresql://x:{SECRET}@/x?host={tmp_path}"
    services = services_in(tmp_path, database=address)
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        for path in ("/v1/monitors", "/v1/incidents", "/v1/monitors/events"):
            answer = client.get(path)
            assert answer.status_code == 503 and SECRET not in answer.text
        assert client.get("/healthz").status_code == 200
