"""The README's commands, run as a newcomer would: in a copy of the project, from nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.server import TOKEN, free_port

pytestmark = [pytest.mark.server, pytest.mark.slow, pytest.mark.timeout(900)]

# Commands that need one running: tried while it serves.
BESIDE_A_SERVER = ("fakelight serve", "fakelight models swap DIR")


def commands() -> list[str]:
    """Every command line of the README: indented blocks, without what is said beside them."""
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    blocks = [line.strip() for line in lines if line.startswith("    ") and line.strip()]
    return [re.split(r"\s{2,}", line)[0] for line in blocks]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone would hold, uncommitted changes included."""
    folder = tmp_path_factory.mktemp("clone") / "fakelight"
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    inherited = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("FAKELIGHT_") and key not in ("PYTHONPATH", "VIRTUAL_ENV")
    }
    state = str(tmp_path_factory.mktemp("state"))
    return inherited | {"FAKELIGHT_TOKEN": TOKEN, "FAKELIGHT_STATE_DIR": state}


def serves(
    command: list[str],
    checkout: Path,
    environment: dict[str, str],
    meanwhile: Callable[[dict[str, str]], None] = lambda environment: None,
) -> str:
    """Run ``command`` until it serves, look at it, stop it; what it printed.

    ``meanwhile`` is called with the environment that finds this server.
    """
    port = free_port()
    process = subprocess.Popen(
        command,
        cwd=checkout,
        env=environment | {"FAKELIGHT_PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 600
    try:
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5):
                    break
            except OSError:
                assert process.poll() is None, process.stdout.read()
                time.sleep(0.2)
        meanwhile(environment | {"FAKELIGHT_PORT": str(port)})
    finally:
        os.killpg(process.pid, 15)
        output, _ = process.communicate(timeout=120)
    return output


def test_make_run_sets_up_and_serves_and_is_idempotent(
    checkout: Path, environment: dict[str, str]
) -> None:
    output = serves(["make", "run"], checkout, environment)
    assert "Installing Fakelight" in output and "is serving on" in output
    command = checkout / ".venv" / "bin" / "fakelight"
    assert f"The command is {command}" in output and f"'{command} install'" in output
    again = serves(["make", "run"], checkout, environment)
    assert "Installing" not in again and "is serving on" in again
    packages = checkout / ".venv" / "lib"
    assert not list(packages.glob("python3*/site-packages/torch*"))


def test_pip_install_and_serve(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "."]
    subprocess.run(pip, cwd=checkout, check=True, timeout=600)
    fakelight = str(venv / "bin" / "fakelight")

    def swap(found: dict[str, str]) -> None:
        command = [fakelight, "models", "swap", str(ROOT / "triton_models")]
        subprocess.run(command, cwd=tmp_path, env=found, check=True, timeout=120)

    output = serves([fakelight, "serve"], tmp_path, environment, swap)
    assert "is serving on" in output
    shutil.copy2(ROOT / "stream_server" / "web" / "static" / "sample.mp4", tmp_path / "video.mp4")
    for command in commands():
        if not command.startswith("fakelight ") or command in BESIDE_A_SERVER:
            continue
        arguments = command.split()[1:] + (["--seconds", "2"] if "bench" in command else [])
        ran = subprocess.run(
            [fakelight, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        # 3 is a scan's way to say that it found something.
        fine = (0, 3) if "scan" in command else (0,)
        assert ran.returncode in fine, f"{command}: {ran.stdout}{ran.stderr}"
    assert (tmp_path / "report.html").stat().st_size > 1000


def test_no_command_of_the_readme_goes_unrun() -> None:
    run_here = {"make run", "pip install .", "fakelight serve"}
    unknown = [c for c in commands() if c not in run_here and not c.startswith("fakelight ")]
    assert unknown == []
    assert run_here | set(BESIDE_A_SERVER) <= set(commands())


def test_links_of_the_documents_lead_somewhere() -> None:
    broken = []
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.name}: {target}")
    assert broken == []
