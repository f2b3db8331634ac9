"""A configuration that cannot work is refused at the start, naming the setting."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from stream_server.engine import ModelRepository
from stream_server.server.preflight import check_models, check_settings
from stream_server.settings import SettingsError, load
from tests.support.tiny_repository import tiny_repository


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"engine": "triton", "triton_url": "http://triton:8001"}, "triton_url"),
        ({"engine": "triton", "triton_url": "triton"}, "triton_url"),
        ({"webrtc_start_kbit": 9000}, "webrtc_start_kbit"),
        ({"webrtc_min_kbit": 3000}, "webrtc_start_kbit"),
        ({"min_face": 400, "detect_side": 320}, "min_face"),
        ({"monitor_files": "/no/such/folder"}, "monitor_files"),
        ({"database": "mysql://h/n"}, "database"),
        ({"scan_database": "nonsense"}, "scan_database"),
    ],
)
def test_what_does_not_fit_together_is_named(
    tmp_path: Path, settings: dict[str, Any], names: str
) -> None:
    with pytest.raises(SettingsError, match=rf"^setting {names} = .+: .+"):
        check_settings(load(state_dir=tmp_path, **settings))


def test_an_address_that_cannot_be_used_is_refused_without_its_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no database 'mysql'") as caught:
        check_settings(load(state_dir=tmp_path, database="mysql://me:hidden@h/n"))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("url", ["triton:8001", "127.0.0.1:8001", "[::1]:8001"])
def test_what_fits_passes(tmp_path: Path, url: str) -> None:
    check_settings(load(state_dir=tmp_path / "new", engine="triton", triton_url=url))
    assert (tmp_path / "new").is_dir() and not list((tmp_path / "new").iterdir())


def test_a_state_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="setting state_dir = "):
        check_settings(load(state_dir=tmp_path / "file"))


@pytest.mark.skipif(sys.platform != "linux", reason="this system has no /proc")
def test_a_state_folder_that_cannot_be_written_to_is_named() -> None:
    with pytest.raises(SettingsError, match="setting state_dir = '/proc/self'"):
        check_settings(load(state_dir=Path("/proc/self")))


def test_a_window_that_the_models_cannot_look_back_on_is_named(tmp_path: Path) -> None:
    repository = ModelRepository.load(tiny_repository(tmp_path))
    check_models(load(window=repository.sequence_length), repository)

    class Short:
        sequence_length = 12

    with pytest.raises(SettingsError, match="setting window = 20: these models look back on 12"):
        check_models(load(window=20), Short())
