from __future__ import annotations

import base64
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls import fetcher as fetching
from stream_server.ingest.urls.fetcher import Fetcher
from stream_server.ingest.urls.limits import MAX_REDIRECTS
from stream_server.ingest.urls.refusals import RefusedSourceError, SourceGoneError
from tests.support.web import Web, answer, away, web_server

ALLOWED = AllowedHosts.parse("127.0.0.1")


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


def got(web: Web, path: str, max_bytes: int | None = 10_000) -> bytes:
    with (
        closing(Fetcher(web.url + path, ALLOWED)) as fetcher,
        closing(fetcher.get(fetcher.url, "source", max_bytes)) as response,
    ):
        return response.read()


def test_what_is_there_is_fetched(web: Web) -> None:
    web.routes["/a%20b"] = answer(b"hello")
    assert got(web, "/a%20b?x=1") == b"hello"
    path, headers = web.seen[0]
    assert path == "/a%20b?x=1" and headers["User-Agent"].startswith("fakelight/")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://127.0.0.2/", "http://127.1/",
        "http://0x7f000001/", "http://[::ffff:10.0.0.1]/", "http://[fd00:ec2::254]/",
        "file:///etc/passwd", "ftp://127.0.0.1/a", "concat:/etc/passwd", "data:text/plain,a",
        "gopher://127.0.0.1:6379/_INFO",
    ],
)  # fmt: skip
def test_a_redirect_elsewhere_is_refused(web: Web, target: str) -> None:
    web.routes["/"] = away("/second")
    web.routes["/second"] = away(target)
    with pytest.raises(RefusedSourceError):
        got(web, "/")
    assert [path for path, _ in web.seen] == ["/", "/second"]


def test_a_redirect_to_an_allowed_address_is_followed(web: Web) -> None:
    web.routes["/"] = away("/second", 307)
    web.routes["/second"] = answer(b"there")
    assert got(web, "/") == b"there"


def test_five_redirects_are_enough(web: Web) -> None:
    for i in range(9):
        web.routes[f"/{i}"] = away(f"/{i + 1}")
    web.routes["/9"] = answer(b"there")
    assert got(web, f"/{9 - MAX_REDIRECTS}") == b"there"
    with pytest.raises(RefusedSourceError, match="more than 5 times"):
        got(web, f"/{8 - MAX_REDIRECTS}")


def test_credentials_go_to_their_own_host_alone() -> None:
    both = AllowedHosts.parse("127.0.0.0/8")
    with web_server() as home, web_server("127.0.0.2") as other:
        home.routes["/a"] = answer(b"1")
        home.routes["/away"] = away(f"{other.url}/b")
        other.routes["/b"] = answer(b"2")
        fetcher = Fetcher(home.url.replace("//", "//me:s%40cret@") + "/a", both)
        assert "s%40cret" not in fetcher.url
        with closing(fetcher):
            theirs = other.url.replace("//", "//you:word@") + "/b"
            for url in (fetcher.url, f"{home.url}/away", theirs):
                with closing(fetcher.get(url, "source")) as response:
                    response.read()
    expected = "Basic " + base64.b64encode(b"me:s@cret").decode()
    assert [headers.get("Authorization") for _, headers in home.seen] == [expected, expected]
    assert [headers.get("Authorization") for _, headers in other.seen] == [None, None]


def test_what_says_it_is_too_large_is_not_begun(web: Web) -> None:
    web.routes["/"] = answer(b"x" * 50, Content_Length=str(1024**3))
    with pytest.raises(RefusedSourceError, match=r"1073741824 bytes or more; the limit is 10000"):
        got(web, "/")


def test_what_does_not_say_so_is_cut_off(web: Web) -> None:
    sent = []

    def endless(request: Any) -> None:
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for _ in range(10_000):
            request.wfile.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
            sent.append(4096)

    web.routes["/"] = endless
    with pytest.raises(RefusedSourceError, match="the limit is 10000"):
        got(web, "/")
    assert sum(sent) < 4096 * 10_000


def test_a_stream_may_go_on_for_ever(web: Web) -> None:
    web.routes["/"] = answer(b"x" * 50_000)
    assert len(got(web, "/", max_bytes=None)) == 50_000


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_an_error_may_pass(web: Web, status: int) -> None:
    web.routes["/live"] = answer(b"", status)
    with pytest.raises(SourceGoneError, match=f"the server answered {status}"):
        got(web, "/live?token=hunter22")


def test_what_breaks_off_or_is_nobody_may_pass(web: Web) -> None:
    with socket.socket() as deaf:  # has its port to itself and does not listen
        deaf.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(SourceGoneError, match=r"[Rr]efused"):
            Fetcher(address, ALLOWED).get(address, "source")
    with pytest.raises(SourceGoneError, match="there is no such host"):
        Fetcher("http://nobody.invalid/", ALLOWED).get("http://nobody.invalid/", "source")

    def nonsense(request: Any) -> None:
        request.wfile.write(b"ICY nonsense\r\n\r\n")
        request.close_connection = True

    web.routes["/"] = nonsense
    with pytest.raises(SourceGoneError):
        got(web, "/")


def test_a_server_that_says_nothing_is_not_waited_for(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.3)
    web.routes["/"] = lambda request: time.sleep(2)
    with pytest.raises(SourceGoneError, match=r"no answer for 0\.3 s"):
        got(web, "/")


def test_a_segment_must_come_whole_in_time(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "SEGMENT_SECONDS", 0.0)
    web.routes["/"] = answer(b"x" * 5000)
    with pytest.raises(SourceGoneError, match="takes longer than 0 s"):
        got(web, "/")


def test_a_connection_is_used_again_if_all_was_read_and_only_then(web: Web) -> None:
    web.routes["/a"] = answer(b"first")
    web.routes["/b"] = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil" * 500)
    fetcher = Fetcher(web.url, ALLOWED)
    for _ in range(3):
        response = fetcher.get(f"{web.url}/a", "source", 100)
        assert response.peek(3) == b"fir" and response.read(2) == b"fi"
        assert response.read() == b"rst"
        response.close()
    assert web.connections == 1
    left = fetcher.get(f"{web.url}/b", "source", 50_000)
    left.read(10)
    left.close()
    with closing(fetcher.get(f"{web.url}/a", "source", 100)) as response:
        assert response.read() == b"first"
    assert web.connections == 2, "what was left of an answer would pass for the next one"
    fetcher.close()


def test_a_connection_that_was_closed_meanwhile_is_made_anew(web: Web) -> None:
    def once(request: Any) -> None:
        answer(b"x")(request)
        request.close_connection = True  # without saying so

    web.routes["/"] = once
    fetcher = Fetcher(web.url, ALLOWED)
    for _ in range(3):
        response = fetcher.get(web.url, "source", 10)
        assert response.read() == b"x"
        response.close()
    fetcher.close()


@pytest.mark.parametrize("url", ["http://h:99999/", "http:///a", "http://[::1/"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(RefusedSourceError):
        Fetcher(url, ALLOWED)
