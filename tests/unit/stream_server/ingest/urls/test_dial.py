from __future__ import annotations

import socket
from typing import Any

import pytest

from stream_server.addresses import AllowedHosts
from stream_server.ingest.urls.dial import dial, normal_host, resolve
from stream_server.ingest.urls.refusals import RefusedSourceError
from tests.support.web import web_server

NOBODY = AllowedHosts()


@pytest.mark.parametrize(
    ("host", "spelt"),
    [
        ("Example.COM.", "example.com"),
        ("[::1]", "::1"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("１２７.0.0.1", None),
        ("3com.example", "3com.example"),
        ("2130706433", None),
        ("0x7f000001", None),
        ("0x7f.1", None),
        ("0177.0.0.1", None),
        ("127.1", None),
        ("127.0.0.1.", "127.0.0.1"),
        ("", None),
        ("a b", None),
        ("%31%32%37.0.0.1", None),
        ("x" * 300, None),
    ],
)
def test_a_host_has_one_spelling(host: str, spelt: str | None) -> None:
    if spelt is None:
        with pytest.raises(RefusedSourceError):
            normal_host(host)
    else:
        assert normal_host(host) == spelt


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "10.1.2.3", "192.168.0.1", "169.254.169.254", "0.0.0.0",
        "224.0.0.1", "::1", "::ffff:127.0.0.1", "fe80::1", "fd00:ec2::254", "ff02::1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "168.63.129.16", "100.100.100.200",
    ],
)  # fmt: skip
def test_what_is_not_public_is_refused_unless_it_is_named(host: str) -> None:
    with pytest.raises(RefusedSourceError, match="FAKELIGHT_MONITOR_HOSTS"):
        resolve(host, 80, NOBODY)
    assert resolve(host, 80, AllowedHosts.parse(host))


def test_a_public_address_needs_no_leave() -> None:
    assert resolve("93.184.216.34", 80, NOBODY) == ["93.184.216.34"]


def test_a_name_that_answers_differently_the_second_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """DNS rebinding. Both addresses are loopback's; the first stands for a public one."""
    answers = ["127.0.0.1", "127.0.0.2", "127.0.0.1"]
    asked: list[str] = []
    real = socket.getaddrinfo

    def rebinding(host: str, *rest: Any, **more: Any) -> Any:
        if host != "rebinding.example":
            return real(host, *rest, **more)
        asked.append(host)
        return real(answers[len(asked) - 1], *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    allowed = AllowedHosts.parse("127.0.0.1")
    with web_server("127.0.0.1") as good, web_server("127.0.0.2") as inner:
        port = good.server_address[1]
        with dial("rebinding.example", port, allowed, 5) as connection:
            assert connection.getpeername()[0] == "127.0.0.1"
        assert len(asked) == 1, "the name was asked for again after it was checked"
        with pytest.raises(RefusedSourceError, match=r"rebinding.example \(127.0.0.2\)"):
            dial("rebinding.example", inner.server_address[1], allowed, 5)
        assert inner.connections == 0


def test_of_a_name_with_both_kinds_only_the_permitted_address_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    both = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("127.0.0.2", "127.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: both)
    assert resolve("both.example", 80, AllowedHosts.parse("127.0.0.1")) == ["127.0.0.1"]


def test_who_does_not_answer_is_no_refusal() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        dial("127.0.0.1", port, AllowedHosts.parse("127.0.0.1"), 5)


def test_a_certificate_that_is_not_the_hosts_is_refused() -> None:
    with web_server() as plain, pytest.raises(OSError):
        dial("127.0.0.1", plain.server_address[1], AllowedHosts.parse("127.0.0.1"), 5, tls=True)
