"""What fuzzing once found, and whether it would find something."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.__main__ import HERE, RUNS
from tests.fuzz.targets import TARGETS
from tests.support.paths import ROOT

CORPUS = sorted((HERE / "corpus").glob("*/*"))


def test_every_target_has_its_runs_and_inputs_to_begin_with() -> None:
    assert TARGETS.keys() == RUNS.keys() == {file.parent.name for file in CORPUS}
    assert RUNS.keys() == {file.stem for file in (HERE / "dictionaries").iterdir()}


@pytest.mark.parametrize("file", CORPUS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_inputs_of_the_corpus_find_nothing(file: Path) -> None:
    TARGETS[file.parent.name](file.read_bytes())


def test_a_fault_behind_a_branch_is_found_and_can_be_tried_again(tmp_path: Path) -> None:
    """The fuzzer itself, on a fault that chance alone would hardly find."""
    atheris = pytest.importorskip("atheris", reason="Atheris has wheels for Linux alone")
    del atheris
    (tmp_path / "planted.py").write_text(
        "def planted(data):\n"
        "    if data[:1] == b'F' and data[1:2] == b'a':\n"
        "        if data[2:3] == b'k' and data[3:4] == b'e':\n"
        "            raise RuntimeError('found')\n"
    )
    script = (
        "import sys, atheris\n"
        "with atheris.instrument_imports(include=['planted']):\n"
        "    from planted import planted\n"
        "atheris.Setup(sys.argv, planted)\n"
        "atheris.Fuzz()\n"
    )
    options = ["-runs=200000", "-seed=1", f"-artifact_prefix={tmp_path}/"]
    done = subprocess.run(
        [sys.executable, "-c", script, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0 and "RuntimeError: found" in done.stdout + done.stderr
    (kept,) = tmp_path.glob("crash-*")
    assert kept.read_bytes().startswith(b"Fake")
