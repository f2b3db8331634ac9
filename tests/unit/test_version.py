"""One version, whoever says it, and its part of the changelog."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import stream_server
from scripts import release_notes
from scripts.version import COPIES, SOURCE, strays, version, write
from stream_server.cli import main
from tests.support.paths import ROOT

KINDS = ("*.yml", "*.yaml", "*.toml", "*.py", "*.json", "*.Dockerfile")


def test_every_copy_says_what_pyproject_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert strays() == []
    assert stream_server.__version__ == version()
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"fakelight {version()}\n"


def test_no_file_holds_a_copy_that_the_script_does_not_know() -> None:
    """Of the image's name and of the assignments that a version is written as."""
    listed = subprocess.run(
        ["git", "ls-files", "--", *KINDS, ":!tests"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    said = re.compile(
        r"stream-server:\d|^__version__ = |^version = |^  \"version\": \"\d+\.\d+\.", re.M
    )
    found = {
        Path(name) for name in listed if said.search((ROOT / name).read_text(errors="replace"))
    }
    assert found == {SOURCE, *COPIES}


def test_a_new_version_is_written_everywhere_and_nothing_else_is(tmp_path: Path) -> None:
    for path in (SOURCE, *COPIES):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    write("7.8.9", tmp_path)
    assert version(tmp_path) == "7.8.9" and strays(tmp_path) == []
    for path in (SOURCE, *COPIES):
        assert (tmp_path / path).read_text().replace("7.8.9", version()) == (
            ROOT / path
        ).read_text()
    (tmp_path / "docker-compose.yml").write_text("image: fakelight/stream-server:1.0.0\n")
    assert strays(tmp_path) == ["docker-compose.yml says 1.0.0, not 7.8.9"]
    with pytest.raises(ValueError, match=r"'1\.0b1' is no version"):
        write("1.0b1", tmp_path)


def test_the_changelog_has_this_version_first_and_keeps_its_form() -> None:
    text = release_notes.CHANGELOG.read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", text, re.M)
    assert headings[0] == "[Unreleased]"
    dated = [re.fullmatch(r"\[(\d+\.\d+\.\d+)\] - (\d{4}-\d\d-\d\d)", h) for h in headings[1:]]
    assert all(dated) and dated[0] is not None and dated[0][1] == version()
    days = [date.fromisoformat(one[2]) for one in dated if one]
    assert days == sorted(days, reverse=True)
    kinds = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert set(re.findall(r"^### (.+)$", text, re.M)) <= kinds


def test_release_notes_are_one_versions_part(tmp_path: Path) -> None:
    page = tmp_path / "CHANGELOG.md"
    page.write_text(
        "# New\n\n## [Unreleased]\n\n## [2.0.0] - 2026-01-02\n\n### Added\n\n- b\n\n"
        "## [1.0.0] - 2026-01-01\n\n- a\n"
    )
    assert release_notes.notes("2.0.0", page) == "### Added\n\n- b\n"
    assert release_notes.notes("1.0.0", page) == "- a\n"
    with pytest.raises(ValueError, match=r"3\.0\.0; it has Unreleased, 2\.0\.0, 1\.0\.0"):
        release_notes.notes("3.0.0", page)
    command = [sys.executable, "-m", "scripts.release_notes"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout == release_notes.notes(version()) and "### " in ran.stdout
