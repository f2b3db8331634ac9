"""No name of a file harms a report, a terminal or the rest of a batch."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from stream_server.ingest.files.names import printable
from tests.media.made import swapped, video
from tests.media.test_times import flagged
from tests.support.paths import ROOT
from tests.support.scanning import ScanCommand

COMMAND = [sys.executable, "-m", "stream_server.cli", "scan"]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return video(tmp_path_factory.mktemp("clips") / "clip.ts", swapped())


STRANGE = [
    b"12:30:00.ts", b"M\xfcller.ts", b"evil\x1b[2J\x1b[1;1Hx.ts", b"two\nlines.ts", b"%03d.ts",
    b"concat:a.ts", b"a b\t'\".ts", b"<script>alert(1)<.ts", "gpj\u202estr.ts".encode(),
    b"n" * 252 + b".ts", b"-dash.ts", b"?*.ts",
]  # fmt: skip


@pytest.mark.skipif(sys.platform == "win32", reason="this system allows no such names")
@pytest.mark.parametrize("name", STRANGE)
def test_a_strange_name_is_scanned_and_printed_harmlessly(
    scan: ScanCommand, clip: Path, tmp_path: Path, name: bytes
) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    shutil.copy(clip, path)
    page = tmp_path / "report.html"
    outcome = scan(os.fsdecode(path), "--html", page)
    report = flagged(outcome)
    assert report["file"] == printable(os.fsdecode(path))
    text = page.read_text(encoding="utf-8")
    for shown in (outcome.err, text, report["file"]):
        assert not {"\x1b", "\u202e"} & set(shown)
    assert "<script>alert" not in text
    assert outcome.err.splitlines()[0].startswith(report["file"])


def test_a_name_that_is_too_long_is_refused_and_the_batch_goes_on(
    scan: ScanCommand, clip: Path
) -> None:
    outcome = scan("n" * 300 + ".mp4", clip, "\x1b[2J.mp4")
    assert outcome.status == 2
    assert [report["error"] is None for report in outcome.reports] == [False, True, False]
    assert "too long" in outcome.reports[0]["error"]["detail"]
    assert "\x1b" not in outcome.err


def test_a_folder_with_such_names(scan: ScanCommand, clip: Path, tmp_path: Path) -> None:
    for name in STRANGE[:4]:
        shutil.copy(clip, os.fsencode(tmp_path) + b"/" + name)
    assert len(scan(tmp_path).reports) == 4


@pytest.mark.parametrize(
    "name", ["plain.mp4", "Grüße.mp4", "名前.mp4", "👩‍👧.mp4", "فارسی\u200cها.mp4"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert printable(name) == name


def test_escapes_say_what_was_there() -> None:
    assert printable(os.fsdecode(b"M\xfcller")) == "M\\xfcller"
    assert printable("a\x1b[2J\nb") == "a\\x1b[2J\\nb"


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no named pipes")
def test_a_pipe_is_read_to_its_end(scan: ScanCommand, clip: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(clip.read_bytes()))
    writer.start()
    flagged(scan(pipe))
    writer.join()


@pytest.mark.parametrize(
    ("limit", "status", "words"),
    [("8000000", 3, b"standard input: "), ("20000", 2, b"the limit of 20000")],
)
def test_standard_input_is_read_up_to_the_limit_of_an_upload(
    clip: Path, models: Path, limit: str, status: int, words: bytes
) -> None:
    done = subprocess.run(
        [*COMMAND, "-", "--models", str(models)],
        input=clip.read_bytes(), cwd=ROOT, capture_output=True, timeout=300, check=False,
        env=os.environ | {"FAKELIGHT_SCAN_MAX_BYTES": limit},
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert words in done.stdout + done.stderr


def test_nothing_on_standard_input_is_empty(models: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "-", "--models", str(models)],
        input=b"", cwd=ROOT, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and b"is empty" in done.stderr
