"""The routes of the list of mistakes, over a server in this process."""

from __future__ import annotations

import base64
import csv
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from starlette.testclient import TestClient

from stream_server.mistakes.form import MOST_NOTE, MOST_STILL
from stream_server.server.app import create_app
from tests.support.in_process import BEARER, services_in
from tests.support.scan_media import moving_face
from training.__main__ import main as training
from training.data.manifest import Manifest

VIEWER = {"Authorization": "Bearer a-viewer-s-token-1"}
SAID = {
    "verdict": "likely_fake",
    "label": "real",
    "probability": 0.93,
    "note": "It is my brother.",
    "title": "A page",
    "site": "https://site.test",
    "from_s": 12.5,
    "to_s": 14,
    "seen_at": 1700000000.0,
    "extension": "0.1.0",
    "server": "0.1.0",
    "models": ["one", "two"],
}


def picture(kind: str = "JPEG", image: Any = None) -> str:
    buffer = io.BytesIO()
    (image or Image.fromarray(moving_face()(0.0))).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def _claiming(width: int, height: int) -> str:
    """A PNG that says it is so large and holds next to nothing."""
    found = bytearray(base64.b64decode(picture("PNG", Image.new("L", (8, 8)))))
    found[16:24] = struct.pack(">II", width, height)
    found[29:33] = struct.pack(">I", zlib.crc32(found[12:29]))
    return base64.b64encode(found).decode()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    guest = {"guest": {"role": "viewer", "token": "a-viewer-s-token-1"}}
    services = services_in(tmp_path, max_mistakes=3, tokens=guest)
    with TestClient(create_app(services), base_url="http://127.0.0.1:8765") as client:
        client.headers.update(BEARER)
        yield client


def send(client: Any, headers: Any = None, **fields: Any) -> Any:
    return client.post("/v1/mistakes", json={**SAID, **fields}, headers=headers or {})


def test_sent_read_and_deleted(client: Any) -> None:
    made = send(client, still=picture())
    assert made.status_code == 201, made.text
    at = made.headers["location"]
    told = client.get(at).json()
    assert told.items() >= SAID.items() and told["still"] is True and told["clock"] == "media"
    assert told == made.json() == client.get("/v1/mistakes").json()[0]
    still = client.get(f"{at}/still")
    assert still.headers["content-type"] == "image/jpeg"
    assert base64.b64encode(still.content).decode() == picture()
    assert client.delete(at).status_code == 204
    for path in (at, f"{at}/still"):
        assert client.get(path).status_code == 404
    assert client.delete(at).status_code == 404 and client.get("/v1/mistakes").json() == []


def test_a_viewer_may_say_so_and_reads_nobody_else_s(client: Any) -> None:
    assert send(client, VIEWER).status_code == 201
    for path in ("/v1/mistakes", "/v1/mistakes/labelled.zip"):
        assert client.get(path, headers=VIEWER).status_code == 403
        assert client.get(path, headers={"Authorization": "Bearer nobody-s"}).status_code == 401


def test_a_viewer_takes_back_its_own_and_nobody_else_s(client: Any) -> None:
    own, other = (send(client, headers).headers["location"] for headers in (VIEWER, None))
    assert client.delete(other, headers=VIEWER).status_code == 404
    assert client.delete("/v1/mistakes/labelled.zip", headers=VIEWER).status_code == 404
    assert client.get(own, headers=VIEWER).status_code == 403
    assert client.get(f"{own}/still", headers=VIEWER).status_code == 403
    assert client.delete(own, headers=VIEWER).status_code == 204
    assert [one["id"] for one in client.get("/v1/mistakes").json()] == [other.rpartition("/")[2]]


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"note": "x" * (MOST_NOTE + 1)}, 400, f"{MOST_NOTE + 1} characters; the limit is 2000"),
        ({"still": "no base64!"}, 400, "base64"),
        ({"still": "A" * 4 * (MOST_STILL // 3 + 1)}, 413, f"the limit is {MOST_STILL}"),
        ({"still": base64.b64encode(b"<svg/>").decode()}, 415, "JPEG"),
        ({"still": picture("PNG", Image.new("1", (4000, 4000)))}, 413, "4000 by 4000"),
        ({"still": _claiming(30_000, 30_000)}, 413, "the limit is 3686400 pixels"),
        ({"still": picture("GIF", Image.new("1", (8, 8)))}, 415, "JPEG"),
        ({"still": picture()[:-400]}, 415, "JPEG"),
        ({"note": "a\0b"}, 400, "note: it holds a NUL"),
        ({"models": ["a\0b"]}, 400, "models: it holds a NUL"),
        ({"label": "perhaps"}, 400, "label"),
        ({"probability": 1.5}, 400, "probability"),
        ({"from_s": -1}, 400, "from_s"),
        ({"models": ["x"] * 33}, 400, "models"),
        ({"more": 1}, 400, "more"),
    ],
)
def test_what_is_refused_and_why(client: Any, fields: Any, status: int, says: str) -> None:
    answer = send(client, **fields)
    assert answer.status_code == status and says in answer.json()["detail"], answer.text
    assert client.get("/v1/mistakes").json() == []


def test_the_limits_of_a_body_and_of_the_list(client: Any) -> None:
    large = send(client, note="x" * 1_100_000)
    assert large.status_code == 413 and "1048576" in large.json()["detail"]
    for _ in range(3):
        assert send(client).status_code == 201
    full = send(client)
    assert full.status_code == 507 and "the limit is 3" in full.json()["detail"]
    for limit in ("0", "1001", "many"):
        refused = client.get(f"/v1/mistakes?limit={limit}")
        assert refused.status_code == 400 and limit in refused.json()["detail"]
    gone = client.get("/v1/mistakes?before_id=gone")
    assert gone.status_code == 404 and "gone" in gone.json()["detail"]


def test_the_list_goes_into_the_training(client: Any, tmp_path: Path) -> None:
    ids = [
        send(client, still=picture(), note="=1+1").json()["id"],
        send(client, still=picture("PNG"), label="fake", verdict="likely_real").json()["id"],
        send(client, note="no picture").json()["id"],
    ]
    answer = client.get("/v1/mistakes/labelled.zip")
    assert answer.headers["content-type"] == "application/zip"
    zipfile.ZipFile(io.BytesIO(answer.content)).extractall(tmp_path / "set")
    index = (tmp_path / "set" / "index.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(index)))
    assert {(row["mistake"], row["label"], row["note"]) for row in rows} == {
        (ids[0], "real", "'=1+1"),
        (ids[1], "fake", "It is my brother."),
    }
    assert len({row["source_ids"] for row in rows}) == 1  # of one page: on one side of a split
    lines = (tmp_path / "set" / "mistakes.jsonl").read_text().splitlines()
    assert {json.loads(line)["id"] for line in lines} == set(ids)
    command = ["extract", str(tmp_path / "set"), "--layout", "clips", "--out"]
    assert training([*command, str(tmp_path / "shards")]) == 0
    samples = [row.sample for row in Manifest.scan(tmp_path / "shards").rows]
    assert {(one.video, one.label, one.dataset) for one in samples} == {
        (ids[0], "real", "mistakes"),
        (ids[1], "fake", "mistakes"),
    }
