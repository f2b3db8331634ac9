from __future__ import annotations

import http.server
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stream_server.ingest.files.fetch import _Guard, fetch
from stream_server.ingest.files.unusable import UnusableError
from tests.support.files_server import files_server


class Redirecting(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        del format, args

    def do_GET(self) -> None:
        if self.path == "/to-file":
            self.away("/clip.bin")
        elif self.path == "/to-ftp":
            self.away("ftp://127.0.0.1/clip.bin")
        elif self.path == "/to-disk":
            self.away("file:///etc/hostname")
        elif self.path == "/round":
            self.away("/round")
        elif self.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "5000")
            self.end_headers()
            self.wfile.write(b"x" * 100)
        else:
            super().do_GET()

    def away(self, target: str) -> None:
        self.send_response(302)
        self.send_header("Location", target)
        self.end_headers()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Any]:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "clip.bin").write_bytes(b"v" * 3000)
    with files_server(folder, Redirecting) as address:
        yield address


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    folder.mkdir()
    return folder


def test_a_file_is_fetched_under_its_name(site: Any, target: Path) -> None:
    path = fetch(f"{site}/clip.bin?part=1", target, 10_000)
    assert path.name == "clip.bin" and path.read_bytes() == b"v" * 3000


def test_a_redirect_is_followed(site: Any, target: Path) -> None:
    assert fetch(f"{site}/to-file", target, 10_000).read_bytes() == b"v" * 3000


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/a.mp4", "file:///etc/hostname", "data://x"])
def test_other_schemes_are_refused(url: str, target: Path) -> None:
    with pytest.raises(UnusableError, match="only http and https"):
        fetch(url, target, 10_000)


@pytest.mark.parametrize("path", ["/to-ftp", "/to-disk", "/round", "/nowhere", "/short"])
def test_what_goes_wrong_is_said_and_nothing_stays(site: Any, target: Path, path: str) -> None:
    with pytest.raises(UnusableError) as error:
        fetch(site + path, target, 10_000)
    assert site in str(error.value) or "http" in str(error.value)
    assert list(target.iterdir()) == []


def test_more_bytes_than_allowed_are_refused(site: Any, target: Path) -> None:
    with pytest.raises(UnusableError, match="the limit is 2999") as error:
        fetch(f"{site}/clip.bin", target, 2999)
    assert error.value.status == 413
    assert list(target.iterdir()) == []


def test_nobody_there(target: Path) -> None:
    with pytest.raises(UnusableError, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/clip.mp4", target, 10_000)


def test_a_public_address_may_not_lead_to_a_private_one() -> None:
    guard = _Guard()
    guard.passed("93.184.216.34")
    guard.passed("2606:2800:220:1::1")
    for private in ("127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fe80::1%eth0"):
        with pytest.raises(UnusableError, match="private address"):
            guard.passed(private)


def test_an_address_on_the_own_network_works_when_it_is_asked_for() -> None:
    guard = _Guard()
    guard.passed("192.168.1.7")
    guard.passed("192.168.1.8")
