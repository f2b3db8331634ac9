"""A disk that is full while an upload comes in."""

from __future__ import annotations

import errno
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from stream_server.ingest.files.unusable import UnusableError
from stream_server.scan.jobs import upload


@pytest.fixture
def client(tmp_path: Path) -> Any:
    async def take(request: Request) -> JSONResponse:
        try:
            taken = await upload.receive(request, tmp_path / "upload", 1_000_000)
        except UnusableError as error:
            return JSONResponse(error.problem(), error.status)
        return JSONResponse({"name": taken.name, "size": taken.size, "fields": taken.fields})

    return TestClient(Starlette(routes=[Route("/", take, methods=["POST"])]))


def test_the_file_lies_on_the_disk_byte_for_byte(client: Any, tmp_path: Path) -> None:
    content = bytes(range(256)) * 3000
    answer = client.post("/", files={"file": ("a b.mp4", content)}, data={"window": "auto"})
    assert answer.json() == {"name": "a b.mp4", "size": len(content), "fields": {"window": "auto"}}
    assert (tmp_path / "upload").read_bytes() == content
    assert (tmp_path / "upload").stat().st_mode & 0o077 == 0


def test_a_disk_that_fills_up_is_said_and_nothing_stays(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: object, file: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(upload._Form, "drain", full)
    answer = client.post("/", files={"file": ("a.mp4", b"x" * 1000)})
    assert answer.status_code == 507
    assert answer.json()["detail"] == "a.mp4: the disk is full"
    assert list(tmp_path.iterdir()) == []


def test_an_upload_that_cannot_fit_is_refused_at_once(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 90, 10))
    answer = client.post("/", files={"file": ("a.mp4", b"x" * 1000)})
    assert answer.status_code == 507 and "no room" in answer.json()["detail"]
    assert list(tmp_path.iterdir()) == []
