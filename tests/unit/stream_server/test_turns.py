"""Even shares of a machine that has too much to do."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import count

import pytest

from stream_server.turns import Share, Turns


class Machine:
    """Streams that want every turn they can get; ``cost`` seconds of work each."""

    def __init__(self, at_once: int = 1) -> None:
        self.at_once = at_once
        self.turns = Turns(lambda: self.at_once)
        self.waits: dict[str, float] = {}  # seconds of each of its turns in which it does nothing
        self.served: list[str] = []
        self.in_hand = 0
        self.most = 0

    async def stream(self, name: str, cost: float, times: Iterator[int]) -> None:
        share = Share()
        waits = self.waits.get(name, 0)
        for _ in times:
            async with self.turns.turn(share):
                self.in_hand += 1
                self.most = max(self.most, self.in_hand)
                self.served.append(name)
                await asyncio.sleep(waits)
                share.worked = cost
                self.in_hand -= 1

    async def run(self, turns: int, **costs: float) -> Counter[str]:
        tasks = [
            asyncio.create_task(self.stream(name, cost, count())) for name, cost in costs.items()
        ]
        while len(self.served) < turns:
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return Counter(self.served[:turns])


async def test_streams_that_cost_the_same_take_turns() -> None:
    machine = Machine()
    served = await machine.run(400, **{f"s{i}": 0.01 for i in range(40)})
    assert set(served.values()) == {10}
    assert len(set(machine.served[-40:])) == 40


async def test_a_stream_with_many_faces_takes_none_of_the_others_time() -> None:
    served = await Machine().run(600, small=0.01, other=0.01, crowd=0.04)
    assert served["small"] == pytest.approx(served["other"], abs=2)
    assert served["small"] == pytest.approx(4 * served["crowd"], rel=0.1)
    assert served["crowd"] > 50  # nobody starves


async def test_who_waits_for_others_in_its_turn_pays_nothing_for_it() -> None:
    machine = Machine()
    machine.waits = {"waiting": 0.002}
    served = await machine.run(60, waiting=0.01, prompt=0.01)
    assert served["waiting"] == pytest.approx(30, abs=1)


async def test_a_newcomer_neither_waits_for_what_others_had_nor_has_it_made_up_for() -> None:
    machine = Machine()
    await machine.run(200, old=0.01, older=0.01)
    before = len(machine.served)
    served = await machine.run(before + 90, old=0.01, older=0.01, new=0.01)
    assert served["new"] == pytest.approx(30, abs=2)


async def test_no_more_are_in_hand_than_suit_the_machine() -> None:
    machine = Machine(at_once=3)
    await machine.run(100, **{f"s{i}": 0.01 for i in range(10)})
    assert machine.most == 3


async def test_who_leaves_while_waiting_or_when_its_turn_comes_takes_no_place_along() -> None:
    machine = Machine()
    turns = machine.turns

    async def once(served: list[str], name: str) -> None:
        async with turns.turn(Share()):
            served.append(name)

    served: list[str] = []
    async with turns.turn(Share()):
        waiting = asyncio.create_task(once(served, "gone"))
        next_one = asyncio.create_task(once(served, "gone as its turn came"))
        last = asyncio.create_task(once(served, "here"))
        await asyncio.sleep(0)
        waiting.cancel()
    next_one.cancel()  # its turn has come, but it has not run yet
    await asyncio.gather(waiting, next_one, last, return_exceptions=True)
    assert served == ["here"]
    async with asyncio.timeout(5), turns.turn(Share()):
        pass


async def test_an_error_gives_the_turn_back() -> None:
    turns = Machine().turns
    with pytest.raises(KeyError):
        async with turns.turn(Share()):
            raise KeyError("bad frame")
    async with asyncio.timeout(5), turns.turn(Share()):
        pass


async def test_more_turns_at_once_are_given_as_soon_as_one_asks() -> None:
    machine = Machine()
    async with machine.turns.turn(Share()):
        machine.at_once = 2
        async with asyncio.timeout(5), machine.turns.turn(Share()):
            pass
