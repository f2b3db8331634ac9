"""Whose request it is, by each kind of credentials and over each transport."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import HTTPConnection

from stream_server.server.auth import COOKIE, Authority, bearer_token, caller_of, note_caller
from stream_server.server.pairing.access import PairingAccess
from stream_server.server.pairing.pairings import Pairings
from stream_server.settings import NamedToken, load

TOKEN = "a-token-for-the-tests"
ORIGIN = "chrome-extension://" + "a" * 32
NAMED = {
    "newsroom": NamedToken(role="viewer", token="a-viewer-token-1"),
    "desk": NamedToken(role="operator", token="an-operator-token"),
}


@pytest.fixture
def digits() -> Any:
    return []


@pytest.fixture
def pairings(tmp_path: Path, digits: Any) -> Iterator[Any]:
    access = PairingAccess(load(state_dir=tmp_path))
    yield Pairings(access, show=lambda code, origin: digits.append(code))
    access.close()


@pytest.fixture
def authority(pairings: Any) -> Any:
    return Authority(TOKEN, NAMED, pairings)


def request(**headers: str) -> HTTPConnection:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    return HTTPConnection({"type": "http", "headers": raw})


def bearing(token: str, **headers: str) -> HTTPConnection:
    return request(authorization=f"Bearer {token}", **headers)


def with_cookie(authority: Authority, **headers: str) -> HTTPConnection:
    return request(cookie=f"{COOKIE}={authority.cookie}", **headers)


@pytest.mark.parametrize(
    ("token", "role"),
    [(TOKEN, "operator"), ("a-viewer-token-1", "viewer"), ("an-operator-token", "operator")],
)
async def test_a_token_is_the_same_person_in_a_header_and_in_a_hello(
    authority: Any, token: Any, role: str
) -> None:
    caller = await authority.of_request(bearing(token))
    assert caller is not None and caller.role == role
    assert await authority.of_hello(token, request()) == caller
    assert token not in caller.holder


async def test_the_cookie_stands_for_the_server_s_own_token(authority: Any) -> None:
    page = with_cookie(authority)
    assert await authority.of_request(page) == await authority.of_hello("", page)
    assert await authority.of_request(page) == await authority.of_request(bearing(TOKEN))


async def test_other_tokens_are_other_people(authority: Any) -> None:
    tokens = (TOKEN, "a-viewer-token-1", "an-operator-token")
    callers = [await authority.of_request(bearing(token)) for token in tokens]
    assert len({caller.holder for caller in callers}) == 3


@pytest.mark.parametrize("token", ["", "wrong", TOKEN + "2", TOKEN[:-1], "ü", "\udcff"])
async def test_a_wrong_token_is_nobody(authority: Any, token: Any) -> None:
    assert await authority.of_hello(token, request()) is None
    assert not authority.is_own(token)
    if token.isascii():
        assert await authority.of_request(bearing(token)) is None


@pytest.mark.parametrize("cookie", ["", "0" * 64, TOKEN])
async def test_a_forged_cookie_is_nobody(authority: Any, cookie: Any) -> None:
    page = request(cookie=f"{COOKIE}={cookie}")
    assert await authority.of_request(page) is None
    assert await authority.of_hello("", page) is None


async def test_a_wrong_token_in_a_hello_is_not_made_good_by_the_cookie(authority: Any) -> None:
    assert await authority.of_hello("wrong", with_cookie(authority)) is None


async def test_a_paired_token_is_good_for_its_origin_alone(
    authority: Any, pairings: Any, digits: Any
) -> None:
    token = await pairings.finish(await pairings.start(ORIGIN), digits[0], ORIGIN)
    caller = await authority.of_request(bearing(token, origin=ORIGIN))
    assert caller is not None and caller.role == "operator"
    assert await authority.of_hello(token, request(origin=ORIGIN)) == caller
    for elsewhere in (request(), request(origin="chrome-extension://" + "b" * 32)):
        assert await authority.of_hello(token, elsewhere) is None


def test_only_the_bearer_scheme_carries_a_token() -> None:
    assert bearer_token(request(authorization="bearer  spaced ")) == "spaced"
    assert bearer_token(request(authorization="Basic abc")) is None
    assert bearer_token(request()) is None


def test_the_cookie_shows_no_token_and_follows_it(authority: Any, pairings: Any) -> None:
    assert TOKEN not in authority.cookie
    assert Authority(TOKEN, {}, pairings).cookie == authority.cookie
    assert Authority("another", {}, pairings).cookie != authority.cookie


async def test_handlers_learn_whose_request_it_is(authority: Any) -> None:
    asked = bearing(TOKEN)
    with pytest.raises(KeyError):
        caller_of(asked)
    caller = await authority.of_request(asked)
    note_caller(asked, caller)
    assert caller_of(HTTPConnection(asked.scope)) == caller


async def test_a_scraper_s_token_reads_and_opens_no_stream(pairings: Any) -> None:
    authority = Authority(TOKEN, NAMED, pairings, "opens-the-metrics-alone")
    caller = await authority.of_request(bearing("opens-the-metrics-alone"))
    assert caller is not None and caller.role == "scraper"
    assert await authority.of_hello("opens-the-metrics-alone", request()) is None
    assert await Authority(TOKEN, NAMED, pairings).of_request(bearing("")) is None
