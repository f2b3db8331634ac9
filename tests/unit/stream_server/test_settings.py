from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from stream_server.settings import SECRETS, Settings, SettingsError, load


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("FAKELIGHT_")]:
        monkeypatch.delenv(name)


def test_defaults() -> None:
    settings = load()
    assert (settings.host, settings.port, settings.engine) == ("127.0.0.1", 8765, "embedded")
    assert (settings.sample_hz, settings.window, settings.first_verdict) == (10, 20, 8)
    assert settings.max_streams >= 16


def test_command_line_over_environment_over_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
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
        ("FAKELIGHT_MONITOR_HOSTS", "cam.lan:80", "monitor_hosts = 'cam.lan:80': Value error"),
        ("FAKELIGHT_CONFIG", "/nowhere.toml", "/nowhere.toml, which is not a file"),
    ],
)
def test_bad_settings_name_the_value_and_the_limit(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load()
    assert message in str(caught.value)


@pytest.mark.parametrize("written", [b"port = [", b"host = '\xff'"])
def test_a_file_that_is_no_toml_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, written: bytes
) -> None:
    file = tmp_path / "fakelight.toml"
    file.write_bytes(written)
    monkeypatch.setenv("FAKELIGHT_CONFIG", str(file))
    with pytest.raises(SettingsError, match=rf"{file} is not TOML in UTF-8"):
        load()


def test_an_unknown_key_in_the_file_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "fakelight.toml"
    file.write_text("colour = 1\n")
    monkeypatch.setenv("FAKELIGHT_CONFIG", str(file))
    with pytest.raises(SettingsError, match="colour"):
        load()


@pytest.mark.parametrize(
    "more",
    [
        {"smtp_host": "mail.example"},
        {"smtp_host": "mail.example", "smtp_user": "me"},
        {"smtp_host": "mail.example", "smtp_sender": "a <a@x>"},
        {"public_url": "fakelight.example"},
        {"public_url": "https://me:pass@fakelight.example"},
        {"stun_url": "http://x"},
        {"turn_url": "stun:x"},
        {"tokens": {"a": {"role": "king"}}},
    ],
)
def test_bad_settings_are_refused(more: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        load(**more)


def test_a_token_in_a_bad_setting_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKELIGHT_TOKENS", '{"desk": {"role": "viewer", "token": "short-secret"}}')
    with pytest.raises(SettingsError, match="16") as refused:
        load()
    assert "short-secret" not in str(refused.value)
    monkeypatch.setenv("FAKELIGHT_TOKENS", "desk")
    with pytest.raises(SettingsError, match="JSON"):
        load()


def test_what_goes_to_a_cluster_opens_nothing() -> None:
    named = re.compile("token|password|credential|secret|database|user(name)?$")
    assert set(SECRETS) == {name for name in Settings.model_fields if named.search(name)}
    held: dict[str, Any] = {**dict.fromkeys(SECRETS, "planted-secret"), "tokens": {"a": "planted"}}
    settings = Settings().model_copy(update=held)
    sent = settings.without_secrets()
    assert "planted" not in repr(sent) and not any(getattr(sent, name) for name in SECRETS)
    assert "planted" in repr(settings)
