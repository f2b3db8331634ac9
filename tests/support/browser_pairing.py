"""A browser that pairs as the extension does, without one."""

from __future__ import annotations

import re
from typing import Any

import httpx2 as httpx

from tests.support.server import Server

ORIGIN = "chrome-extension://" + "p" * 32
_DIGITS = re.compile(rf"Pairing with {ORIGIN}: type\s+(\d{{3}}) (\d{{3}})\s+within")


async def pair(http: httpx.AsyncClient, shows: Server, confirms: str) -> dict[str, str]:
    """Ask ``shows`` for digits, read them where its operator does, and type them at ``confirms``;
    the headers of a browser that is paired."""
    origin = {"Origin": ORIGIN}
    asked = await http.post(f"{shows.url}/v1/pairings", headers=origin)
    assert asked.status_code == 201, asked.text
    digits = "".join(_DIGITS.findall(shows.output)[-1])
    where = f"{confirms}/v1/pairings/{asked.json()['id']}"
    answer = await http.post(where, json={"code": digits}, headers=origin)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}", **origin}


def hello(headers: dict[str, str]) -> dict[str, Any]:
    """What such a browser says first on a socket."""
    token = headers["Authorization"].removeprefix("Bearer ")
    return {"type": "hello", "protocol": 1, "token": token}
