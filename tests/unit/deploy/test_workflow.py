"""GitHub's workflow: valid, safe by zizmor, and through the same gates as ``.ci/run``."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.json_schema import valid_by
from tests.support.paths import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    return found


def steps(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def zizmor(path: Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("zizmor"), "--offline", "--format", "plain", path]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_valid_by_githubs_schema(tmp_path: Path) -> None:
    broken = tmp_path / "ci.yml"
    broken.write_text(WORKFLOW.read_text().replace("runs-on", "runs-in"))
    valid, told = valid_by("vendor.github-workflows", WORKFLOW, broken)
    assert valid == [WORKFLOW], told


def test_nothing_in_it_is_known_to_be_dangerous(tmp_path: Path) -> None:
    ran = zizmor(WORKFLOW)
    assert ran.returncode == 0, ran.stdout
    loose = tmp_path / "ci.yml"
    loose.write_text(re.sub(r"checkout@\w+", "checkout@v4", WORKFLOW.read_text()))
    assert "unpinned-uses" in zizmor(loose).stdout


def test_every_action_is_pinned_to_a_commit(jobs: dict[str, Any]) -> None:
    used = [step["uses"] for job in jobs.values() for step in job["steps"] if "uses" in step]
    assert used and all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", one) for one in used)


def test_it_goes_through_the_gates_of_the_own_ci(jobs: dict[str, Any]) -> None:
    gates = re.findall(r"^make .+$", (ROOT / ".ci" / "run").read_text(), re.M)
    assert gates and set(gates) <= set(steps(jobs["test"]))
    assert "if" not in jobs["test"] and jobs["package"]["needs"] == "test"


def test_it_makes_nothing_that_the_makefile_does_not_know(jobs: dict[str, Any]) -> None:
    called = [
        target
        for job in jobs.values()
        for line in steps(job)
        for command in re.findall(r"^make ([a-z -]+)", line)
        for target in command.split()
    ]
    assert {"test", "extension", "package", "sbom", "docs", "release-notes"} == set(called)
    assert all(re.search(rf"^{re.escape(target)}:", MAKEFILE, re.M) for target in called)
