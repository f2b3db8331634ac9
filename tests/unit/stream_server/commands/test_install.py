from __future__ import annotations

import os
import plistlib
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from stream_server.cli import main
from stream_server.commands import session_service as services

ODD = ("/opt/a folder/py%thon", "-m", "stream_server.cli", 'se"rve', "$HOME")


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    service = services.systemd_unit((sys.executable, "-m", "stream_server.cli", "serve"), tmp_path)
    text = service.content.decode()
    assert f'ExecStart="{sys.executable}" "-m" "stream_server.cli" "serve"\n' in text
    assert '"/opt/a folder/py%%thon" "-m" "stream_server.cli" "se\\"rve" "$$HOME"' in (
        services.systemd_unit(ODD, tmp_path).content.decode()
    )
    verify = shutil.which("systemd-analyze")
    if verify:  # wherever systemd is
        file = tmp_path / "fakelight.service"
        file.write_bytes(service.content)
        ran = subprocess.run(
            [verify, "verify", "--user", "--man=no", str(file)],
            capture_output=True, text=True, check=False,
            env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)},
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, "")


def test_the_agent_and_the_task_say_the_same_to_macos_and_windows(tmp_path: Path) -> None:
    agent = services.launchd_agent(ODD, tmp_path, 501)
    told = plistlib.loads(agent.content)
    assert told["ProgramArguments"] == list(ODD) and told["RunAtLoad"] is True
    assert agent.begin == (("launchctl", "bootstrap", "gui/501", str(agent.file)),)
    task = services.windows_task(("C:\\Program Files\\py.exe", "-m", "a b"), tmp_path)
    root = ElementTree.fromstring(task.content)
    found = {one.tag.split("}")[1]: one.text for one in root.iter()}
    assert (found["Command"], found["Arguments"]) == ("C:\\Program Files\\py.exe", '-m "a b"')
    assert found["RunLevel"] == "LeastPrivilege" and found["ExecutionTimeLimit"] == "PT0S"


@pytest.mark.skipif(os.name != "posix", reason="the stand-in for systemctl is a POSIX script")
def test_what_install_does_uninstall_undoes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a home of its own, with a ``systemctl`` that notes what it is asked."""
    home, tools = tmp_path / "home", tmp_path / "tools"
    for folder in (home, tools):
        folder.mkdir()
    asked = tmp_path / "asked"
    stand_in = tools / "systemctl"
    stand_in.write_text(f'#!/bin/sh\necho "$@" >> "{asked}"\ntest ! -e "{tmp_path}/refuses"\n')
    stand_in.chmod(0o755)
    own = tools / "fakelight"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tools / "python"))
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "FAKELIGHT_STATE_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", f"/nowhere{os.pathsep}{os.environ['PATH']}")
    own.rename(tools / "fakelight-elsewhere")
    assert main(["install"]) == 2 and "install the package first" in capsys.readouterr().err
    (tools / "fakelight-elsewhere").rename(own)
    own.chmod(0o644)  # not found on the PATH: the link is needed
    assert main(["install"]) == 0
    told = capsys.readouterr().out
    unit, link = (
        home / ".config" / "systemd" / "user" / "fakelight.service",
        home / ".local" / "bin" / "fakelight",
    )
    assert unit.is_file() and link.resolve() == own.resolve()
    assert f"Add {link.parent} to your PATH" in told and "/#token=" in told
    assert asked.read_text().splitlines() == [
        "--user daemon-reload",
        "--user enable --now fakelight",
    ]
    (tmp_path / "refuses").touch()
    assert main(["install"]) == 1 and "fakelight serve" in capsys.readouterr().err
    assert main(["uninstall", "--keep-data"]) == 0
    assert (home / ".local" / "state" / "fakelight").is_dir()
    assert main(["uninstall"]) == 0
    assert [one for one in home.rglob("*") if not one.is_dir()] == []
