from __future__ import annotations

from pathlib import Path

import pytest

from stream_server.ingest.urls.files import played_file
from stream_server.ingest.urls.refusals import RefusedSourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "played").mkdir()
    (tmp_path / "played" / "a clip.mp4").write_bytes(b"x")
    (tmp_path / "secret.mp4").write_bytes(b"x")
    (tmp_path / "played" / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    return tmp_path / "played"


@pytest.mark.parametrize("begin", ["file://", "file://localhost", "file:"])
def test_a_file_of_the_folder_is_played(folder: Path, begin: str) -> None:
    assert played_file(f"{begin}{folder}/a%20clip.mp4", folder) == folder / "a clip.mp4"


@pytest.mark.parametrize(
    "name", ["../secret.mp4", "link.mp4", "%2e%2e/secret.mp4", "none.mp4", "", "a%00b"]
)
def test_no_other_is(folder: Path, name: str) -> None:
    with pytest.raises(RefusedSourceError, match="no file in the folder"):
        played_file(f"file://{folder}/{name}", folder)


def test_none_is_without_the_setting_or_from_another_machine(folder: Path) -> None:
    with pytest.raises(RefusedSourceError, match="FAKELIGHT_MONITOR_FILES"):
        played_file(f"file://{folder}/a%20clip.mp4", None)
    with pytest.raises(RefusedSourceError):
        played_file(f"file://elsewhere{folder}/a%20clip.mp4", folder)
