from __future__ import annotations

import stat
import sys

import pytest

from stream_server.server import auth as access_token
from stream_server.settings import SettingsError, load


@pytest.fixture(autouse=True)
def clean(monkeypatch):
    import os

    for name in [name for name in os.environ if name.startswith("FAKELIGHT_")]:
        monkeypatch.delenv(name)


def test_defaults():
    settings = load()
    assert (settings.host, settings.port, settings.engine) == ("127.0.0.1", 8765, "embedded")
    assert (settings.sample_hz, settings.window, settings.first_verdict) == (10, 20, 8)
    assert settings.max_streams >= 16


def test_command_line_over_environment_over_file(monkeypatch, tmp_path):
    file = tmp_path / "fakelight.toml"
    file.write_text('port = 1111\nwindow = 40\nhost = "::1"\n')
    monkeypatch.setenv("FAKELIGHT_CONFIG", str(file))
    monkeypatch.setenv("FAKELIGHT_PORT", "2222")
    settings = load(host="127.0.0.1", engine=None)
    assert (settings.host, settings.port, settings.window) == ("127.0.0.1", 2222, 40)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("FAKELIGHT_PROT", "1", "unknown setting FAKELIGHT_PROT"),
        ("FAKELIGHT_PORT", "many", "setting port = 'many'"),
        ("FAKELIGHT_PORT", "70000", "less than or equal to 65535"),
        ("FAKELIGHT_ENGINE", "magic", "'embedded' or 'triton'"),
        ("FAKELIGHT_WINDOW", "500", "less than or equal to 100"),
        ("FAKELIGHT_CONFIG", "/nowhere.toml", "/nowhere.toml, which is not a file"),
    ],
)
def test_bad_settings_name_the_value_and_the_limit(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert message in str(caught.value)


def test_an_unknown_key_in_the_file_is_refused(monkeypatch, tmp_path):
    file = tmp_path / "fakelight.toml"
    file.write_text("colour = 1\n")
    monkeypatch.setenv("FAKELIGHT_CONFIG", str(file))
    with pytest.raises(SettingsError, match="colour"):
        load()


def test_the_token_is_made_once_and_kept_for_its_owner(tmp_path):
    settings = load(state_dir=tmp_path / "state")
    token = access_token.load_token(settings)
    assert len(token) >= 32
    assert access_token.load_token(settings) == token
    if sys.platform != "win32":
        assert stat.S_IMODE((tmp_path / "state" / "token").stat().st_mode) == 0o600


def test_the_token_of_the_settings_wins(tmp_path):
    settings = load(state_dir=tmp_path, token="a-token-that-is-long")
    assert access_token.load_token(settings) == "a-token-that-is-long"
    assert not (tmp_path / "token").exists()


@pytest.mark.parametrize("token", ["with a space", "ümlaut-token-1234567", "line\nbreak"])
def test_a_token_that_no_header_carries_is_refused(token, tmp_path):
    with pytest.raises(access_token.TokenError, match="printable ASCII") as caught:
        access_token.load_token(load(state_dir=tmp_path, token=token))
    assert token not in str(caught.value)


def test_a_short_token_is_warned_about(tmp_path, caplog):
    assert access_token.load_token(load(state_dir=tmp_path, token="short")) == "short"
    assert "easy to guess" in caplog.text


def test_an_unreadable_state_directory_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(access_token.TokenError, match="token"):
        access_token.load_token(load(state_dir=tmp_path / "file"))


def test_the_cookie_is_not_the_token():
    cookie = access_token.session_cookie("a-token")
    assert "a-token" not in cookie and cookie == access_token.session_cookie("a-token")
    assert cookie != access_token.session_cookie("another")
