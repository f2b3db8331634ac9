"""What goes to the stores is what lies in the folder, and the same bytes every time."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from pathlib import Path

from scripts.pack_extension import pack
from tests.support.paths import EXTENSION


def test_the_same_files_give_the_same_bytes_in_another_place_and_at_another_time(
    tmp_path: Path,
) -> None:
    copy = shutil.copytree(EXTENSION, tmp_path / "copy")
    for path in copy.rglob("*"):
        os.utime(path, (1.5e9, 1.5e9))
        path.chmod(0o700)
    (copy / ".DS_Store").write_bytes(b"a system's own")
    first, second = pack(EXTENSION, tmp_path / "a"), pack(copy, tmp_path / "b")
    assert [path.name for path in first] == [path.name for path in second]
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


def test_each_browser_gets_all_files_and_a_manifest_that_it_knows(tmp_path: Path) -> None:
    chrome, firefox = (zipfile.ZipFile(path) for path in pack(EXTENSION, tmp_path))
    names = {p.relative_to(EXTENSION).as_posix() for p in EXTENSION.rglob("*") if p.is_file()}
    for packed in (chrome, firefox):
        assert set(packed.namelist()) == names and packed.testzip() is None
        for name in names - {"manifest.json"}:
            assert packed.read(name) == (EXTENSION / name).read_bytes()
    ours = json.loads((EXTENSION / "manifest.json").read_text())
    told = {"chrome": json.loads(chrome.read("manifest.json"))}
    told["firefox"] = json.loads(firefox.read("manifest.json"))
    assert "scripts" not in told["chrome"]["background"]
    assert "service_worker" not in told["firefox"]["background"]
    assert "browser_specific_settings" in told["firefox"]
    assert set(ours["permissions"]) - set(told["firefox"]["permissions"]) == {
        "offscreen",
        "tabCapture",
    }
    for manifest in told.values():
        assert {**ours, **manifest} | {"background": 0, "permissions": 0} == (
            ours | {"background": 0, "permissions": 0}
        ), "nothing else differs"
