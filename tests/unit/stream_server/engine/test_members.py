from __future__ import annotations

from pathlib import Path

from stream_server.engine import ModelRepository
from stream_server.grounds import Voting
from tests.support.tiny_repository import tiny_repository


def test_each_member_brings_its_own_words_or_goes_by_what_it_takes(tmp_path: Path) -> None:
    repo = tiny_repository(tmp_path / "models", ("one", "two", "three"), ("points",))
    for name, key, value in (
        ("two", "looks_at", "the light in the eyes"),
        ("three", "kind", "either"),
    ):
        with (repo / f"{name}_sequence" / "config.pbtxt").open("a") as config:
            config.write(f'parameters {{ key: "{key}" value {{ string_value: "{value}" }} }}\n')
    repository = ModelRepository.load(repo)
    assert repository.looks_at == {
        "one": "picture",
        "two": "the light in the eyes",
        "three": "generated_head",
        "points": "movement",
    }
    assert repository.either == {"three"}
    assert set(Voting.of(repository).weights) == {"one", "two", "points"}
