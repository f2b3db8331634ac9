"""Imports that the collector does not go through."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from stream_server.loading import loading


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_what_is_loaded_is_not_collected_and_set_aside_at_the_end() -> None:
    assert gc.isenabled()
    before = gc.get_freeze_count()
    with loading():
        assert not gc.isenabled()
        kept = [[] for _ in range(1000)]  # type: ignore[var-annotated]
    assert gc.isenabled() and gc.get_freeze_count() >= before + len(kept)


def test_who_does_without_a_collector_is_given_none_even_where_loading_fails() -> None:
    gc.disable()
    with pytest.raises(ImportError), loading():
        raise ImportError
    assert not gc.isenabled()
