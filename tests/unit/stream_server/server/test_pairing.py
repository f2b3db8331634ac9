from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from stream_server.server.pairing import TRIES, PairingError, Pairings

ORIGIN = "chrome-extension://" + "a" * 32


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def shown() -> Any:
    return []


@pytest.fixture
def clock() -> Any:
    return Clock()


@pytest.fixture
def pairings(tmp_path: Path, shown: Any, clock: Any) -> Any:
    return Pairings(tmp_path, show=lambda code, origin: shown.append((code, origin)), clock=clock)


def status(call: Any) -> int:
    with pytest.raises(PairingError) as caught:
        call()
    return caught.value.status


def test_the_right_digits_give_a_token_bound_to_the_origin(pairings: Any, shown: Any) -> None:
    number = pairings.start(ORIGIN)
    code, origin = shown[0]
    assert origin == ORIGIN and len(code) == 6 and code.isdecimal()
    token = pairings.finish(number, code, ORIGIN)
    assert pairings.accepts(token, ORIGIN)
    assert not pairings.accepts(token, "chrome-extension://" + "b" * 32)
    assert not pairings.accepts(token, None)
    assert not pairings.accepts("guess", ORIGIN)


def test_a_program_without_an_origin_may_pair_too(pairings: Any, shown: Any) -> None:
    token = pairings.finish(pairings.start(""), shown[0][0], "")
    assert pairings.accepts(token, None)
    assert not pairings.accepts(token, "https://evil.test")


def test_five_tries(pairings: Any, shown: Any) -> None:
    number = pairings.start(ORIGIN)
    wrong = f"{(int(shown[0][0]) + 1) % 10**6:06d}"
    for left in range(TRIES - 1, 0, -1):
        with pytest.raises(PairingError, match=f"tries left: {left}") as caught:
            pairings.finish(number, wrong, ORIGIN)
        assert (caught.value.status, caught.value.tries_left) == (403, left)
    assert status(lambda: pairings.finish(number, wrong, ORIGIN)) == 410
    assert status(lambda: pairings.finish(number, shown[0][0], ORIGIN)) == 410


def test_two_minutes(pairings: Any, shown: Any, clock: Any) -> None:
    number = pairings.start(ORIGIN)
    clock.now = 121
    assert status(lambda: pairings.finish(number, shown[0][0], ORIGIN)) == 410


def test_digits_serve_once_and_one_origin(pairings: Any, shown: Any) -> None:
    number = pairings.start(ORIGIN)
    assert status(lambda: pairings.finish(number, shown[0][0], "https://evil.test")) == 403
    pairings.finish(number, shown[0][0], ORIGIN)
    assert status(lambda: pairings.finish(number, shown[0][0], ORIGIN)) == 410


def test_starting_again_voids_the_first_digits(pairings: Any, shown: Any) -> None:
    first = pairings.start(ORIGIN)
    pairings.start(ORIGIN)
    assert status(lambda: pairings.finish(first, shown[0][0], ORIGIN)) == 410


def test_a_flood_of_pairings_is_refused_and_passes(pairings: Any, clock: Any) -> None:
    for i in range(8):
        pairings.start(f"https://{i}.test")
    assert status(lambda: pairings.start("https://more.test")) == 429
    clock.now = 121
    pairings.start("https://more.test")


def test_pairs_outlive_the_server_and_end_when_forgotten(
    pairings: Any, shown: Any, tmp_path: Path
) -> None:
    token = pairings.finish(pairings.start(ORIGIN), shown[0][0], ORIGIN)
    file = tmp_path / "paired.json"
    assert token not in file.read_text() and stat.S_IMODE(file.stat().st_mode) == 0o600
    again = Pairings(tmp_path)
    assert again.accepts(token, ORIGIN)
    assert again.forget(token) and not again.forget(token)
    assert not Pairings(tmp_path).accepts(token, ORIGIN)


def test_a_damaged_file_means_pairing_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "paired.json").write_text("{broken")
    assert not Pairings(tmp_path).accepts("t", ORIGIN)
    assert "pair again" in caplog.text
