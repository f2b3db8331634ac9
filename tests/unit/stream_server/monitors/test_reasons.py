"""The reasons of a monitor's state are known again wherever they are shown."""

from __future__ import annotations

import pytest

from stream_server.addresses import AllowedHosts, RefusedAddressError, check_address
from stream_server.ingest.urls.conditions import REASONS
from stream_server.languages import Worded, speaking, tell
from stream_server.monitors import reasons
from stream_server.monitors.status import _WORDS, Throughput


def _too_busy() -> str:
    found = Throughput(0.0).problem(received=100, analysed=12, now=20.0)
    assert found
    return found


@pytest.mark.parametrize("reason", [*_WORDS.values(), *REASONS.values(), _too_busy()])
def test_what_the_states_say_is_known(reason: str) -> None:
    if reason == _WORDS["silent"] or reason in (_WORDS["frozen"], _WORDS["black"]):
        assert set(REASONS) >= {"silent", "frozen", "black"}  # which say it with their seconds
        return
    known = reasons.recognised(reason)
    assert known is not None and str(known[1]) == reason


@pytest.mark.parametrize("code", reasons.SENTENCES)
def test_each_sentence_is_told_by_its_own_code_and_says_the_same(code: str) -> None:
    sentence = reasons.SENTENCES[code]
    gaps = {"why": "no such file", "where": "a.example", "codec": "h261", "kind": "private"}
    text = sentence.format_map(_Gaps({**gaps, "status": "404 Not Found"}))
    known = reasons.recognised(text)
    assert known is not None and known[0] == code and str(known[1]) == text
    with speaking("de"):
        assert tell(reasons.told_later(text)) != text


class _Gaps(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "2.5"


def test_a_reason_in_a_reason_is_told_too_and_comes_as_json() -> None:
    reason = "https://a.example/live: the server answered 404 Not Found; trying again in 4 s"
    assert reasons.parts(reason) == {
        "code": "trying_again",
        "message": "{why}; trying again in {seconds} s",
        "values": {
            "why": {
                "code": "http_status",
                "message": "{where}: the server answered {status}",
                "values": {"where": "https://a.example/live", "status": "404 Not Found"},
            },
            "seconds": 4,
        },
    }
    with speaking("es"):
        told = tell(reasons.told_later(reason))
    assert told == (
        "https://a.example/live: el servidor respondió 404 Not Found; nuevo intento en 4\u00a0s"
    )


def test_a_figure_is_written_as_the_language_does() -> None:
    with speaking("de"):
        assert "0,6 von 5,0" in tell(reasons.told_later(_too_busy()))


@pytest.mark.parametrize("name", ["nan", "inf", "1e5", "1_000"])
def test_a_host_with_a_name_like_a_number_is_none(name: str) -> None:
    told = reasons.parts(f"{name} does not answer")
    assert told and told["values"] == {"where": name}


def test_an_address_that_is_refused_is_told() -> None:
    with pytest.raises(RefusedAddressError) as refused:
        check_address("10.0.0.1", "10.0.0.1", AllowedHosts.parse(""))
    assert isinstance(reasons.told_later(str(refused.value)), Worded)


@pytest.mark.parametrize("reason", ["", "Invalid data found when processing input", "x" * 2000])
def test_what_is_not_known_stays_as_it_is(reason: str) -> None:
    assert reasons.parts(reason) is None
    assert reasons.told_later(reason) == reason
