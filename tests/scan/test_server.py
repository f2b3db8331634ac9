"""``/v1/scans`` on a real server, which is killed along the way."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from tests.support.scan_media import every, moving_face, write_video
from tests.support.server import TOKEN, Server, running_server

HEADERS = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    state = {"FAKELIGHT_STATE_DIR": str(tmp_path_factory.mktemp("state"))}
    with running_server("--models", str(models), environment=state) as running:
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as found:
        yield found


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    return write_video(path, moving_face(), every(10, 60), rate=10)


def send(client: httpx.Client, path: Path, **fields: str) -> httpx.Response:
    with path.open("rb") as file:
        return client.post("/v1/scans", files={"file": (path.name, file)}, data=fields)


def wait(client: httpx.Client, scan_id: str, *statuses: str) -> dict[str, Any]:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = client.get(f"/v1/scans/{scan_id}").json()
        if found["status"] in statuses:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{scan_id} is still {found['status']}")


def test_an_upload_is_taken_scanned_and_deleted(client: httpx.Client, portrait_clip: Path) -> None:
    answer = send(client, portrait_clip, window="40")
    assert answer.status_code == 202
    taken = answer.json()
    assert answer.headers["location"] == f"/v1/scans/{taken['id']}"
    assert taken["status"] == "queued" and taken["report"] is None
    found = wait(client, taken["id"], "done", "failed")
    assert found["status"] == "done" and found["progress"] == 1
    report = found["report"]
    assert report["file"] == portrait_clip.name and report["faces"]
    assert report["settings"]["window"] == 40
    assert (found["verdict"], found["probability"]) == (report["verdict"], report["probability"])
    assert found["expires"] == pytest.approx(found["finished"] + 7 * 86400)


def test_the_page_of_a_report_may_run_nothing(client: httpx.Client, portrait_clip: Path) -> None:
    scan_id = send(client, portrait_clip).json()["id"]
    wait(client, scan_id, "done")
    told = client.get(f"/v1/scans/{scan_id}").json()["report"]
    assert client.get(f"/v1/scans/{scan_id}/report.json").json() == told
    page = client.get(f"/v1/scans/{scan_id}/report.html")
    assert page.status_code == 200 and portrait_clip.name in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy
    assert "'unsafe-inline'" not in policy


def test_events_tell_the_progress_to_the_end(client: httpx.Client, long_clip: Path) -> None:
    scan_id = send(client, long_clip).json()["id"]
    kinds, last = [], {}
    with client.stream("GET", f"/v1/scans/{scan_id}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        for line in stream.iter_lines():
            if line.startswith("event: "):
                kinds.append(line.removeprefix("event: "))
            elif line.startswith("data: "):
                last = json.loads(line.removeprefix("data: "))
    assert kinds[-1] == "done" and set(kinds[:-1]) == {"progress"}
    assert last["status"] == "done" and last["progress"] == 1


def test_a_running_scan_is_cancelled_and_a_finished_one_forgotten(
    client: httpx.Client, long_clip: Path
) -> None:
    scan_id = send(client, long_clip).json()["id"]
    wait(client, scan_id, "running")
    assert client.delete(f"/v1/scans/{scan_id}").status_code == 204
    assert client.get(f"/v1/scans/{scan_id}").json()["status"] == "cancelled"
    assert client.get(f"/v1/scans/{scan_id}/report.html").status_code == 409
    assert client.delete(f"/v1/scans/{scan_id}").status_code == 204
    assert client.get(f"/v1/scans/{scan_id}").status_code == 404
    assert scan_id not in [scan["id"] for scan in client.get("/v1/scans").json()]


def test_an_unusable_file_fails_with_its_reason_and_the_next_is_scanned(
    client: httpx.Client, tmp_path: Path, portrait_clip: Path
) -> None:
    letter = tmp_path / "letter.mp4"
    letter.write_text("no video\n" * 50)
    bad, good = (send(client, path).json()["id"] for path in (letter, portrait_clip))
    failed = wait(client, bad, "done", "failed")
    assert failed["status"] == "failed" and "letter.mp4 is not a video" in failed["detail"]
    assert failed["report"]["error"]["status"] == 422
    assert wait(client, good, "done", "failed")["status"] == "done"


def test_everything_needs_the_token(server: Server) -> None:
    for method, path in [
        ("GET", "/v1/scans"), ("POST", "/v1/scans"), ("GET", "/v1/scans/x"),
        ("DELETE", "/v1/scans/x"), ("GET", "/v1/scans/x/events"),
        ("GET", "/v1/scans/x/report.html"),
    ]:  # fmt: skip
        assert httpx.request(method, server.url + path).status_code == 401
    assert httpx.get(f"{server.url}/scan").status_code == 200


@pytest.mark.parametrize("path", ["", "/events", "/report.html"])
def test_an_unknown_scan(client: httpx.Client, path: str) -> None:
    answer = client.get(f"/v1/scans/nowhere{path}")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("files", "data", "status", "words"),
    [
        ({"other": ("a", b"x")}, {}, 400, "unknown form field 'other'"),
        ({"file": ("a", b"x")}, {"window": "7"}, 400, "window is '7'"),
        ({"file": ("a", b"x")}, {"keep": "perhaps"}, 400, "keep is 'perhaps'"),
        ([("file", ("a", b"x")), ("file", ("b", b"y"))], {}, 400, "one file a request"),
        ({"window": (None, "20")}, {}, 400, 'no part "file"'),
    ],
)
def test_bad_forms_are_refused_by_name(
    client: httpx.Client,
    files: dict[str, Any] | list[tuple[str, tuple[str, bytes]]],
    data: dict[str, Any],
    status: int,
    words: str,
) -> None:
    answer = client.post("/v1/scans", files=files, data=data)
    assert answer.status_code == status
    assert words in answer.json()["detail"]


def test_another_content_type_is_refused(client: httpx.Client) -> None:
    assert client.post("/v1/scans", json={"file": "x"}).status_code == 415


def test_a_body_that_breaks_off_is_no_upload(client: httpx.Client) -> None:
    boundary = "----b"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nxyz'
    answer = client.post(
        "/v1/scans",
        content=body.encode(),
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
    )
    assert answer.status_code == 400 and "broke off" in answer.json()["detail"]


def test_a_client_s_file_name_is_never_a_path(
    client: httpx.Client, server: Server, portrait_clip: Path
) -> None:
    with portrait_clip.open("rb") as file:
        answer = client.post("/v1/scans", files={"file": ("../../etc/<b>\x1bpasswd", file)})
    assert answer.status_code == 202
    assert "/" not in answer.json()["file"] and "\x1b" not in answer.json()["file"]
    page_of = answer.json()["id"]
    wait(client, page_of, "done")
    assert "<b>" not in client.get(f"/v1/scans/{page_of}/report.html").text


@contextmanager
def limited(models: Path, tmp_path: Path, **settings: str) -> Iterator[tuple[Server, httpx.Client]]:
    environment = {"FAKELIGHT_STATE_DIR": str(tmp_path / "state"), **settings}
    with (
        running_server("--models", str(models), environment=environment) as server,
        httpx.Client(base_url=server.url, headers=HEADERS, timeout=60) as client,
    ):
        yield server, client


def test_too_large_an_upload_is_refused_and_leaves_nothing(
    models: Path, tmp_path: Path, portrait_clip: Path
) -> None:
    size = portrait_clip.stat().st_size
    with limited(models, tmp_path, FAKELIGHT_SCAN_MAX_BYTES=str(size - 1)) as (_, client):
        answer = send(client, portrait_clip)
        assert answer.status_code == 413 and str(size - 1) in answer.json()["detail"]
        assert list((tmp_path / "state" / "uploads").iterdir()) == []


def test_a_killed_server_loses_no_upload_and_takes_up_where_it_was(
    models: Path, tmp_path: Path, portrait_clip: Path, long_clip: Path
) -> None:
    uploads = tmp_path / "state" / "uploads"
    with limited(models, tmp_path) as (server, client):
        first = send(client, long_clip, window="60").json()["id"]
        second = send(client, portrait_clip, keep="true").json()["id"]
        wait(client, first, "running")
        assert client.get(f"/v1/scans/{second}").json()["ahead"] == 1
        server.process.kill()
        server.process.wait(60)
    assert {path.name for path in uploads.iterdir()} == {first, second}
    with limited(models, tmp_path) as (server, client):
        found = wait(client, first, "done", "failed")
        assert found["status"] == "done" and found["report"]["settings"]["window"] == 60
        assert wait(client, second, "done", "failed")["status"] == "done"
        assert [scan["id"] for scan in client.get("/v1/scans").json()] == [second, first]
        # Only what its owner wanted to keep is still there.
        assert [path.name for path in uploads.iterdir()] == [second]


def test_a_server_that_is_stopped_puts_its_scan_back(
    models: Path, tmp_path: Path, long_clip: Path
) -> None:
    with limited(models, tmp_path) as (server, client):
        scan_id = send(client, long_clip).json()["id"]
        wait(client, scan_id, "running")
        assert server.stop() == 0
        assert "Traceback" not in server.output
    with limited(models, tmp_path) as (server, client):
        assert wait(client, scan_id, "done", "failed")["status"] == "done"


def test_a_full_queue_says_so(
    models: Path, tmp_path: Path, portrait_clip: Path, long_clip: Path
) -> None:
    with limited(models, tmp_path, FAKELIGHT_SCAN_QUEUE="1") as (_, client):
        first = send(client, long_clip).json()["id"]
        answer = send(client, portrait_clip)
        assert answer.status_code == 429 and "which is the limit" in answer.json()["detail"]
        assert "retry-after" in answer.headers
        assert [path.name for path in (tmp_path / "state" / "uploads").iterdir()] == [first]
        client.delete(f"/v1/scans/{first}")
        assert send(client, portrait_clip).status_code == 202


def test_of_two_servers_on_one_folder_one_works_and_the_other_takes_over(
    models: Path, tmp_path: Path, portrait_clip: Path, long_clip: Path
) -> None:
    with limited(models, tmp_path) as (first, one), limited(models, tmp_path) as (_, two):
        scan_id = send(one, long_clip).json()["id"]
        wait(one, scan_id, "running")
        assert two.get(f"/v1/scans/{scan_id}").json()["status"] == "running"
        first.process.kill()
        first.process.wait(60)
        assert wait(two, scan_id, "done", "failed")["status"] == "done"


def test_results_are_kept_for_a_set_time(models: Path, tmp_path: Path, portrait_clip: Path) -> None:
    with limited(models, tmp_path) as (_, client):
        scan_id = send(client, portrait_clip, keep="true").json()["id"]
        wait(client, scan_id, "done")
    time.sleep(0.05)
    with limited(models, tmp_path, FAKELIGHT_SCAN_KEEP_DAYS="0.0000001") as (_, client):
        end = time.monotonic() + 60
        while client.get("/v1/scans").json() and time.monotonic() < end:
            time.sleep(0.1)
        assert client.get(f"/v1/scans/{scan_id}").status_code == 404
    assert list((tmp_path / "state" / "uploads").iterdir()) == []
