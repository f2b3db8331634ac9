"""Files that appear when they are complete, and what killed writers leave behind."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stream_server.atomic import replacing, replacing_folder, sweep, sweep_file, write_text

_WRITER = """
import sys
from pathlib import Path
from stream_server.atomic import replacing
with replacing(Path(sys.argv[1])) as part:
    part.write_text("half")
    print("written", flush=True)
    sys.stdin.read()
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_text(path, "old", 0o600)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(RuntimeError, match="in the middle"), replacing(path) as part:
        part.write_text("new")
        assert path.read_text() == "old"
        raise RuntimeError("in the middle")
    assert path.read_text() == "old" and names(tmp_path) == ["a.json"]


def test_two_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
        sweep(tmp_path)  # of their own process too, what is being written stays
    assert path.read_text() == "first" and names(tmp_path) == ["a"]


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "models"
    for text in ("old", "new"):
        with replacing_folder(path) as part:
            (part / text).touch()
    assert names(path) == ["new"] and names(tmp_path) == ["models"]
    with pytest.raises(ValueError, match="unfit"), replacing_folder(path) as part:
        (part / "unfit").touch()
        raise ValueError("unfit")
    assert names(path) == ["new"] and names(tmp_path) == ["models"]


def test_a_folder_that_cannot_take_its_place_leaves_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "models"
    (path / "old").mkdir(parents=True)
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if target == path and "new" in names(self):
            raise OSError("no space left")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="no space"), replacing_folder(path) as part:
        (part / "new").touch()
    assert names(path) == ["old"] and names(tmp_path) == ["models"]


def test_the_only_folder_there_is_is_not_swept(tmp_path: Path) -> None:
    with replacing(tmp_path / "models") as part:
        tail = part.name.removeprefix("models")
    (tmp_path / "models").unlink()
    (tmp_path / f"models{tail}").mkdir()
    sweep(tmp_path)
    assert names(tmp_path) == [f"models{tail}"]
    (tmp_path / "models").mkdir()
    sweep(tmp_path)
    assert names(tmp_path) == ["models"]


def test_a_killed_writer_is_swept_up_after_and_a_living_one_left_alone(tmp_path: Path) -> None:
    living, killed = (
        subprocess.Popen(
            [sys.executable, "-c", _WRITER, str(tmp_path / name)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for name in ("a.pt", "b.pt")
    )  # fmt: skip
    with living, killed:
        for process in (living, killed):
            assert process.stdout is not None
            assert process.stdout.readline() == "written\n"
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        (tmp_path / "notes.part").touch()  # no writer's
        (tmp_path / "c.pt.elsewhere-1-0123abcd.part").touch()
        sweep(tmp_path)
        left = names(tmp_path)
        assert len(left) == 3 and left[0].startswith("a.pt.") and str(living.pid) in left[0]
        assert left[1:] == ["c.pt.elsewhere-1-0123abcd.part", "notes.part"]
        living.communicate()
    assert (tmp_path / "a.pt").read_text() == "half"


def test_leftovers_of_a_process_with_this_ones_number_are_swept(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as part:
        ours = part.name
    (tmp_path / ours).touch()  # as a container leaves that starts anew: same name, same number
    assert str(os.getpid()) in ours
    sweep(tmp_path)
    assert names(tmp_path) == ["a"]


def test_leftovers_of_one_file_are_swept_and_no_others(tmp_path: Path) -> None:
    others = ["r1.tar", "r1.tar.gz.far-7-0123abcd.part", "r10.tar.far-7-0123abcd.part"]
    left = ["r1.tar.far-7-0123abcd.part", "r1.tar.near-8-0123abcd.part"]
    for name in others + left:
        (tmp_path / name).touch()
    sweep_file(tmp_path / "r1.tar")
    assert names(tmp_path) == sorted(others)
