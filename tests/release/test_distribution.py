"""What a release hands out, installed as people install it, on each Python that is promised."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.version import version
from stream_server.bench.server import READY_SECONDS
from stream_server.resources import sample_clip
from tests.support.paths import ROOT
from tests.support.pythons import UV, Archives, find_python, uv
from tests.support.server import TOKEN, free_port
from tests.support.user_systemd import under_systemd, why_not

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]
OLDEST, *_ = VERSIONS = ("3.11", "3.12", "3.13")


@dataclass(frozen=True)
class Installed:
    """An environment that holds Fakelight alone, and a person's empty home."""

    venv: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        settings = {"FAKELIGHT_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"}
        return {"HOME": str(self.home), "PATH": f"{self.venv / 'bin'}:/usr/bin:/bin", **settings}

    def run(self, *arguments: str) -> str:
        """What the command said on its standard output; it may have found something."""
        command = [str(self.venv / "bin" / "fakelight"), *arguments]
        ran = subprocess.run(
            command,
            cwd=self.home,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert ran.returncode in (0, 3), ran.stdout + ran.stderr
        return ran.stdout


@pytest.fixture(scope="module", params=VERSIONS)
def installed(
    request: pytest.FixtureRequest, archives: Archives, tmp_path_factory: pytest.TempPathFactory
) -> Installed:
    """The oldest from the source archive, the others from the wheel."""
    folder = tmp_path_factory.mktemp("python")
    python = find_python(request.param, folder / "downloads")
    if python is None:
        pytest.skip(f"no Python of this version is here or can be fetched: {request.param}")
    archive = archives.source if request.param == OLDEST else archives.wheel
    found = Installed(folder / "venv", folder / "home")
    found.home.mkdir()
    uv("venv", "--python", str(python), str(found.venv))
    uv("pip", "install", "--python", str(found.venv / "bin" / "python"), str(archive))
    return found


@pytest.fixture
def served(installed: Installed) -> Iterator[str]:
    """The address of a server of that installation."""
    port = free_port()
    process = subprocess.Popen(
        [installed.venv / "bin" / "fakelight", "serve", "--port", str(port)],
        cwd=installed.home,
        env=installed.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        said = ""
        while "is serving on" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=60)


def test_it_serves_and_judges_on_every_python_that_is_promised(
    installed: Installed, served: str
) -> None:
    with urllib.request.urlopen(f"{served}/healthz", timeout=READY_SECONDS) as answer:
        assert answer.status == 200
    known = urllib.request.Request(
        f"{served}/v1/info", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    with urllib.request.urlopen(known, timeout=READY_SECONDS) as answer:
        assert json.load(answer)["version"] == version()
    examined = installed.run("doctor").splitlines()
    assert len(examined) > 5
    # The port is ours.
    assert [line for line in examined if not line.startswith("ok ") and " port: " not in line] == []
    page = installed.home / "report.html"
    found = json.loads(
        installed.run("scan", str(sample_clip()), "--json", "-", "--html", str(page))
    )
    assert found["error"] is None and found["verdict"] in ("unsure", "likely_fake")
    assert f"version {version()}" in page.read_text(encoding="utf-8")


def test_the_promised_pythons_are_those_that_are_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == f">={OLDEST}"
    named = [re.findall(r"Python :: (3\.\d+)$", line) for line in project["classifiers"]]
    assert tuple(one for found in named for one in found) == VERSIONS
    assert f"{sys.version_info.major}.{sys.version_info.minor}" in VERSIONS, "one is always tried"


@pytest.mark.parametrize("tool", ["uv", "pipx"])
def test_the_wheel_installs_as_a_tool(tool: str, archives: Archives, tmp_path: Path) -> None:
    bin_dir, wheel = tmp_path / "bin", str(archives.wheel)
    places = {
        "UV_TOOL_DIR": str(tmp_path / "tools"),
        "UV_TOOL_BIN_DIR": str(bin_dir),
        "PIPX_HOME": str(tmp_path / "tools"),
        "PIPX_BIN_DIR": str(bin_dir),
    }
    if tool == "uv":
        uv("tool", "install", "--python", sys.executable, wheel, environment=places)
    else:
        ran = subprocess.run(
            [UV.with_name("pipx"), "install", "--python", sys.executable, wheel],
            env={**os.environ, **places},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert [path.name for path in bin_dir.iterdir()] == ["fakelight"]
    said = subprocess.run(
        [bin_dir / "fakelight", "models", "check"],
        env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert said.returncode == 0 and "all as their configs say" in said.stdout, said.stderr


SESSION = """
fakelight install
healthy() {
    python -c 'from urllib.request import urlopen; urlopen("http://127.0.0.1:8765/healthz")'
}
wait_for() {
    for i in $(seq 600); do if "$@" 2> /dev/null; then return; fi; sleep 0.2; done
    echo "never: $*"
    exit 1
}
main_process() { systemctl --user show --property MainPID --value fakelight; }
wait_for healthy
is() { systemctl --user is-$1 fakelight || true; }
echo "== serves as $(is active), $(is enabled)"
first=$(main_process)
kill -KILL $first
another() { test "$(main_process)" != $first && healthy; }
wait_for another
echo "== serves again"
fakelight uninstall
known=$(systemctl --user list-unit-files fakelight.service --no-legend | wc -l)
echo "== $(is active), $known"
if healthy 2> /dev/null; then exit 1; fi
"""


@pytest.mark.parametrize("installed", [OLDEST], indirect=True)
def test_install_has_systemd_run_it_and_uninstall_leaves_nothing(installed: Installed) -> None:
    """By a real systemd: it starts the server, again where it was killed, and forgets it."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    before = set(installed.home.rglob("*"))
    environment = {**installed.environment, "PATH": f"{installed.environment['PATH']}:/usr/sbin"}
    del environment["FAKELIGHT_TOKEN"]
    ran = under_systemd(SESSION, environment)
    assert ran.returncode == 0, ran.stdout
    told = [line for line in ran.stdout.splitlines() if line.startswith("==")]
    assert told == ["== serves as active, enabled", "== serves again", "== inactive, 0"]
    assert "/#token=" in ran.stdout
    left = {path for path in installed.home.rglob("*") if not path.is_dir()} - before
    assert {path.name for path in left} <= {"systemd.log"}
