"""Pairing at two servers that share a database, of each kind that there is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from stream_server.database import Database
from stream_server.server.pairing.access import DatabaseAwayError
from stream_server.server.pairing.pairings import PairingError, holder_of
from stream_server.server.pairing.store import LIFETIME, TRIES, WRONG_AT_MOST, WRONG_FOR

ORIGIN = "chrome-extension://" + "a" * 32
OTHER = "chrome-extension://" + "b" * 32


async def status(call: Any) -> int:
    with pytest.raises(PairingError) as caught:
        await call
    return caught.value.status


async def paired(one: Any, origin: str = ORIGIN) -> str:
    number = await one.pairings.start(origin)
    token: str = await one.pairings.finish(number, one.shown[-1][0], origin)
    return token


def wrong(one: Any) -> str:
    return f"{(int(one.shown[-1][0]) + 1) % 10**6:06d}"


async def test_digits_of_one_server_are_good_at_the_other_and_so_is_the_token(
    replicas: Any,
) -> None:
    one, two = replicas
    number = await one.pairings.start(ORIGIN)
    ((digits, origin),) = one.shown
    assert origin == ORIGIN and len(digits) == 6 and digits.isdecimal()
    token = await two.pairings.finish(number, digits, ORIGIN)
    for server in replicas:
        assert await server.pairings.accepts(token, ORIGIN)
        assert not await server.pairings.accepts(token, OTHER)
        assert not await server.pairings.accepts(token, None)
        assert not await server.pairings.accepts("guess", ORIGIN)
        assert not await server.pairings.accepts(token[::-1], ORIGIN)
    assert (one.counted, two.counted) == (["started"], ["paired"])


async def test_a_program_without_an_origin_may_pair_too(replicas: Any) -> None:
    one, two = replicas
    token = await paired(one, "")
    assert await two.pairings.accepts(token, None)
    assert not await two.pairings.accepts(token, "https://evil.test")


async def test_five_tries_wherever_they_are_made(replicas: Any) -> None:
    one, two = replicas
    number = await one.pairings.start(ORIGIN)
    for left in range(TRIES - 1, 0, -1):
        at = replicas[left % 2]
        with pytest.raises(PairingError, match=f"tries left: {left}") as caught:
            await at.pairings.finish(number, wrong(one), ORIGIN)
        assert (caught.value.status, caught.value.tries_left) == (403, left)
    assert await status(two.pairings.finish(number, "\udcff", ORIGIN)) == 410
    assert await status(one.pairings.finish(number, one.shown[0][0], ORIGIN)) == 410


async def test_of_many_tries_at_once_no_more_than_five_count(replicas: Any) -> None:
    one = replicas[0]
    number = await one.pairings.start(ORIGIN)
    guesses = [
        replicas[i % 2].pairings.finish(number, wrong(one), ORIGIN) for i in range(4 * TRIES)
    ]
    answers = await asyncio.gather(*guesses, return_exceptions=True)
    left = [getattr(answer, "tries_left", None) for answer in answers]
    assert sorted(one for one in left if one is not None) == list(range(TRIES))


@pytest.mark.parametrize("jump", [LIFETIME, 3600.0, -LIFETIME, -3600.0])
async def test_digits_last_two_minutes_and_no_longer_when_the_clock_is_set_back(
    replicas: Any, clock: Any, jump: float
) -> None:
    one, two = replicas
    number = await one.pairings.start(ORIGIN)
    clock.now += jump
    assert await status(two.pairings.finish(number, one.shown[0][0], ORIGIN)) == 410
    token = await paired(two)  # new ones are good at once
    clock.now -= jump
    assert await one.pairings.accepts(token, ORIGIN)  # a token knows no time


async def test_digits_serve_once_and_one_origin(replicas: Any) -> None:
    one, two = replicas
    number = await one.pairings.start(ORIGIN)
    digits = one.shown[0][0]
    assert await status(two.pairings.finish(number, digits, "https://evil.test")) == 403
    await two.pairings.finish(number, digits, ORIGIN)
    assert await status(one.pairings.finish(number, digits, ORIGIN)) == 410


async def test_starting_again_voids_the_first_digits(replicas: Any) -> None:
    one, two = replicas
    first = await one.pairings.start(ORIGIN)
    await two.pairings.start(ORIGIN)
    assert await status(one.pairings.finish(first, one.shown[0][0], ORIGIN)) == 410


async def test_a_flood_of_pairings_is_refused_and_passes(replicas: Any, clock: Any) -> None:
    flood = [replicas[i % 2].pairings.start(f"https://{i}.test") for i in range(20)]
    answers = await asyncio.gather(*flood, return_exceptions=True)
    assert [getattr(one, "status", 201) for one in answers].count(201) == 8
    assert await status(replicas[0].pairings.start("https://more.test")) == 429
    clock.now += LIFETIME
    await replicas[0].pairings.start("https://more.test")


async def test_who_asks_for_new_digits_after_each_five_tries_is_stopped(
    replicas: Any, clock: Any
) -> None:
    one = replicas[0]
    for i in range(WRONG_AT_MOST):
        if i % TRIES == 0:
            number = await one.pairings.start(ORIGIN)
        await status(one.pairings.finish(number, wrong(one), ORIGIN))
    with pytest.raises(PairingError, match="50 wrong digits were tried") as caught:
        await replicas[1].pairings.start(OTHER)
    assert caught.value.status == 429
    clock.now += WRONG_FOR
    await paired(replicas[1], OTHER)


async def test_whoever_is_unpaired_is_out_everywhere_within_a_second(
    replicas: Any, clock: Any
) -> None:
    one, two = replicas
    token = await paired(one)
    assert await two.pairings.accepts(token, ORIGIN)
    assert await one.pairings.accepts(token, ORIGIN)
    holders = {holder_of(token), "a-stranger"}
    assert await two.pairings.gone(holders) == set()
    (listed,) = await two.pairings.all()
    assert (listed.holder, listed.origin) == (holder_of(token), ORIGIN)
    assert not await one.pairings.revoke("") and not await one.pairings.revoke("%" * 12)
    assert await one.pairings.revoke(listed.holder)
    clock.now += 1
    for server in replicas:
        assert not await server.pairings.accepts(token, ORIGIN)
        assert await server.pairings.gone(holders) == {holder_of(token)}
    again = await paired(two)
    assert await one.pairings.forget(again) and not await two.pairings.forget(again)


async def test_that_a_token_is_used_is_written_down_by_the_hour(replicas: Any, clock: Any) -> None:
    one = replicas[0]
    token = await paired(one)
    made = clock.now
    for later, seen in ((1800.0, made), (4000.0, made + 4000)):
        clock.now = made + later
        assert await one.pairings.accepts(token, ORIGIN)
        (listed,) = await one.pairings.all()
        assert (listed.made, listed.seen) == (made, seen)


async def test_the_database_shows_no_token_and_no_digits(replicas: Any, address: str) -> None:
    one = replicas[0]
    token = await paired(one)
    number = await one.pairings.start(OTHER)
    database = Database(address)
    with database.read() as session:
        tables = ("pairings", "pairing_digits")
        rows = [session.execute(text(f"SELECT * FROM {table}")).all() for table in tables]
    database.close()
    assert all(len(found) == 1 for found in rows)
    for secret in (token, number, one.shown[1][0]):
        assert secret not in repr(rows)


async def test_while_the_database_is_away_the_known_get_in_and_nobody_is_paired(
    replicas: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = replicas
    token, stranger = await paired(one), await paired(two, OTHER)
    assert await one.pairings.accepts(token, ORIGIN)

    async def away(question: Any) -> None:
        raise DatabaseAwayError

    monkeypatch.setattr(one.access, "ask", away)
    clock.now += 599
    assert await one.pairings.accepts(token, ORIGIN)
    assert not await one.pairings.accepts(token, OTHER)
    for call in (
        one.pairings.accepts(stranger, OTHER),
        one.pairings.start(ORIGIN),
        one.pairings.finish("x", "000000", ORIGIN),
        one.pairings.forget(token),
        one.pairings.gone({holder_of(token)}),
    ):
        with pytest.raises(DatabaseAwayError, match="does not answer"):
            await call
    clock.now += 2
    with pytest.raises(DatabaseAwayError):
        await one.pairings.accepts(token, ORIGIN)


async def test_a_click_on_the_servers_page_stands_for_the_digits(replicas: Any, clock: Any) -> None:
    one, two = replicas
    number = await one.pairings.start(ORIGIN)
    later = await one.pairings.start(OTHER)
    assert await two.pairings.collect(number, ORIGIN) is None
    assert not one.pairings.page_is_open
    asked = {each.origin: each.id for each in await one.pairings.waiting()}
    assert set(asked) == {ORIGIN, OTHER} and one.pairings.page_is_open
    # What the page is told opens nothing by itself, nor does another's click.
    assert await status(one.pairings.collect(asked[ORIGIN], ORIGIN)) == 410
    assert await one.pairings.allow(asked[OTHER])
    assert await two.pairings.collect(number, ORIGIN) is None
    assert await status(two.pairings.collect(later, ORIGIN)) == 403
    assert await two.pairings.allow(asked[ORIGIN])
    token = await one.pairings.collect(number, ORIGIN)
    assert token is not None and await two.pairings.accepts(token, ORIGIN)
    assert not await two.pairings.accepts(token, OTHER)
    assert await status(one.pairings.collect(number, ORIGIN)) == 410, "it is handed out once"
    clock.now += LIFETIME
    assert await status(two.pairings.collect(later, OTHER)) == 410
    assert not await one.pairings.allow(asked[OTHER])
    assert await one.pairings.waiting() == [] and not await one.pairings.allow("unknown")
    clock.now += LIFETIME
    assert not one.pairings.page_is_open
