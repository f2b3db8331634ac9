"""Tickets: good once, soon, and at whichever server."""

from __future__ import annotations

from typing import Any

import pytest

from stream_server.server.pairing.store import TICKET_LIFETIME
from stream_server.server.pairing.tickets import Tickets


async def test_a_ticket_is_good_once(replicas: Any) -> None:
    one, two = (Tickets(replica.access) for replica in replicas)
    ticket = await one.issue()
    assert await two.redeem(ticket)
    assert not await one.redeem(ticket)
    assert not await one.redeem("")


@pytest.mark.parametrize("jump", [TICKET_LIFETIME, -TICKET_LIFETIME])
async def test_a_ticket_is_good_for_a_minute_and_few_are_kept(
    replicas: Any, clock: Any, jump: float
) -> None:
    tickets = Tickets(replicas[0].access)
    first, second = await tickets.issue(), await tickets.issue()
    clock.now += TICKET_LIFETIME - 1
    assert await tickets.redeem(first)
    clock.now += jump - TICKET_LIFETIME + 1
    assert not await tickets.redeem(second)
    many = []
    for _ in range(40):
        clock.now += 0.1
        many.append(await tickets.issue())
    assert [await tickets.redeem(one) for one in many] == [False] * 8 + [True] * 32
