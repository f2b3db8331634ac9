from __future__ import annotations

import socket

import pytest

from stream_server.addresses import (
    AllowedHosts,
    RefusedAddressError,
    check_address,
    resolve_checked,
)

NOBODY = AllowedHosts()


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.8.8",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%eth0",
        "fc00::1",
        "fd00:ec2::254",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2002:a9fe:a9fe::",
        "2001:db8::1",
    ],
)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(RefusedAddressError, match="FAKELIGHT_MONITOR_HOSTS"):
        check_address("cam.example", address, NOBODY)


@pytest.mark.parametrize("address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1::1"])
def test_a_public_address_is_good(address: str) -> None:
    check_address("cam.example", address, NOBODY)


def test_the_refusal_names_host_address_and_kind() -> None:
    with pytest.raises(RefusedAddressError, match=r"cam\.example \(10\.0\.0\.1\) is a private"):
        check_address("cam.example", "10.0.0.1", NOBODY)
    with pytest.raises(RefusedAddressError, match=r"^127\.0\.0\.1 is a loopback address"):
        check_address("127.0.0.1", "127.0.0.1", NOBODY)


@pytest.mark.parametrize(
    ("named", "host", "address"),
    [
        ("cam.lan", "cam.lan", "10.0.0.1"),
        ("cam.lan", "CAM.lan.", "10.0.0.1"),
        ("10.0.0.0/8", "cam.lan", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        (" other , 10.0.0.0/8,", "cam.lan", "10.0.0.1"),
        ("127.0.0.0/8", "localhost", "::ffff:127.0.0.1"),
        ("::1", "[::1]", "::1"),
        ("localhost", "127.0.0.1", "127.0.0.1"),
        ("localhost", "[::1]", "::1"),
        ("[::1]", "::1", "::1"),
        ("fe80::/10", "cam.lan", "fe80::1%eth0"),
        ("239.0.0.0/8", "239.1.1.1", "239.1.1.1"),
    ],
)
def test_what_was_named_is_good(named: str, host: str, address: str) -> None:
    check_address(host, address, AllowedHosts.parse(named))


@pytest.mark.parametrize(
    ("named", "host", "address"),
    [
        ("cam.lan", "other.lan", "10.0.0.1"),
        ("cam.lan", "evilcam.lan", "10.0.0.1"),
        ("10.0.0.0/8", "cam.lan", "127.0.0.1"),
        ("127.0.0.1", "::1", "::1"),
    ],
)
def test_only_what_was_named_is_good(named: str, host: str, address: str) -> None:
    with pytest.raises(RefusedAddressError):
        check_address(host, address, AllowedHosts.parse(named))


@pytest.mark.parametrize("text", ["10.0.0.0/99", "http://cam.lan", "cam.lan:80", "a/b", "..."])
def test_what_is_neither_name_nor_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a host name nor a network"):
        AllowedHosts.parse(text)


async def test_a_name_is_judged_by_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RefusedAddressError, match="localhost"):
        await resolve_checked("localhost", 80, NOBODY)
    with pytest.raises(RefusedAddressError, match="loopback"):
        await resolve_checked("0x7f.1", 80, NOBODY)  # the system reads it as 127.0.0.1
    good = await resolve_checked("localhost", 80, AllowedHosts.parse("localhost"))
    assert set(good) <= {"127.0.0.1", "::1"}
    assert good

    def both(*_: object, **__: object) -> list[object]:
        return [(socket.AF_INET, 1, 6, "", (one, 80)) for one in ("10.0.0.1", "8.8.8.8", "8.8.8.8")]

    monkeypatch.setattr(socket, "getaddrinfo", both)
    assert await resolve_checked("cam.example", 80, NOBODY) == ["8.8.8.8"]
