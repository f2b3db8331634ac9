from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from stream_server.server.token_file import TokenError, load_token
from stream_server.settings import load


def test_the_token_is_made_once_and_kept_for_its_owner(tmp_path: Path) -> None:
    settings = load(state_dir=tmp_path / "state")
    token = load_token(settings)
    assert len(token) >= 32
    assert load_token(settings) == token
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "state" / "token").stat().st_mode) == 0o600


def test_the_token_of_the_settings_wins(tmp_path: Path) -> None:
    settings = load(state_dir=tmp_path, token="a-token-that-is-long")
    assert load_token(settings) == "a-token-that-is-long"
    assert not (tmp_path / "token").exists()


@pytest.mark.parametrize("token", ["with a space", "ümlaut-token-1234567", "line\nbreak"])
def test_a_token_that_no_header_carries_is_refused(token: str, tmp_path: Path) -> None:
    with pytest.raises(TokenError, match="printable ASCII") as caught:
        load_token(load(state_dir=tmp_path, token=token))
    assert token not in str(caught.value)


def test_a_short_token_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert load_token(load(state_dir=tmp_path, token="short")) == "short"
    assert "easy to guess" in caplog.text


def test_an_unreadable_state_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TokenError, match="token"):
        load_token(load(state_dir=tmp_path / "file"))
