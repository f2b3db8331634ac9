"""Tickets: good once, and soon."""

from __future__ import annotations

from stream_server.server.tickets import LIFETIME, Tickets


def test_a_ticket_is_good_once() -> None:
    tickets = Tickets()
    ticket = tickets.issue()
    assert tickets.redeem(ticket)
    assert not tickets.redeem(ticket)
    assert not tickets.redeem("")


def test_a_ticket_is_good_for_a_minute_and_few_are_kept() -> None:
    now = 0.0
    tickets = Tickets(clock=lambda: now)
    first, second = tickets.issue(), tickets.issue()
    now = LIFETIME - 1
    assert tickets.redeem(first)
    now = LIFETIME
    assert not tickets.redeem(second)
    many = [tickets.issue() for _ in range(40)]
    assert [tickets.redeem(one) for one in many] == [False] * 8 + [True] * 32
