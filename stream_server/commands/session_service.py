"""The server as a service of the person's session, by each system's own means: what is written
where, and which commands begin and end it.

systemd user units (systemd.service(5)), launchd agents (launchd.plist(5)) and the Task Scheduler's
XML (Microsoft, "Task Scheduler Schema"). None needs more rights than the person has.
"""

from __future__ import annotations

import os
import plistlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

NAME = "fakelight"
_LABEL = "org.fakelight.server"
_TITLE = "Fakelight"
_WHAT = "Fakelight: warnings on faces in web video"


@dataclass(frozen=True)
class SessionService:
    """``content`` goes into ``file``. ``begin`` are the commands that have it run now and with each
    session from now on, ``end`` those that stop that, ``after`` what follows once the file is gone.
    """

    file: Path
    content: bytes
    begin: tuple[tuple[str, ...], ...]
    end: tuple[tuple[str, ...], ...]
    after: tuple[tuple[str, ...], ...] = ()


def for_this_system(command: Sequence[str], home: Path | None = None) -> SessionService:
    """The service that runs ``command`` for the person whose folder is ``home``."""
    where = home or Path.home()
    if sys.platform == "win32":
        return windows_task(command, where)
    if sys.platform == "darwin":
        return launchd_agent(command, where, os.getuid())
    return systemd_unit(command, where)


def systemd_unit(command: Sequence[str], home: Path) -> SessionService:
    """For Linux. A crash is followed by a new start, an orderly end is not."""
    quoted = " ".join(_for_systemd(part) for part in command)
    unit = f"""[Unit]
Description={_WHAT}

[Service]
ExecStart={quoted}
Restart=on-failure
RestartSec=5
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""
    config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config")
    systemctl = ("systemctl", "--user")
    return SessionService(
        config / "systemd" / "user" / f"{NAME}.service",
        unit.encode(),
        begin=((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", NAME)),
        end=((*systemctl, "disable", "--now", NAME),),
        after=((*systemctl, "daemon-reload"),),
    )


def launchd_agent(command: Sequence[str], home: Path, user: int) -> SessionService:
    """For macOS."""
    file = home / "Library" / "LaunchAgents" / f"{_LABEL}.plist"
    told = {
        "Label": _LABEL,
        "ProgramArguments": list(command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
    }
    domain = f"gui/{user}"
    return SessionService(
        file,
        plistlib.dumps(told),
        begin=(("launchctl", "bootstrap", domain, str(file)),),
        end=(("launchctl", "bootout", f"{domain}/{_LABEL}"),),
    )


def windows_task(command: Sequence[str], home: Path) -> SessionService:
    """For Windows: a task that begins when the person logs on."""
    file = home / "AppData" / "Local" / NAME / "task.xml"
    program, *arguments = command
    task = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{escape(_WHAT)}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Principals><Principal id="Author">
    <LogonType>InteractiveToken</LogonType><RunLevel>LeastPrivilege</RunLevel>
  </Principal></Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>3</Count></RestartOnFailure>
  </Settings>
  <Actions Context="Author"><Exec>
    <Command>{escape(program)}</Command>
    <Arguments>{escape(" ".join(_for_windows(part) for part in arguments))}</Arguments>
  </Exec></Actions>
</Task>
"""
    return SessionService(
        file,
        task.encode("utf-16"),
        begin=(
            ("schtasks", "/Create", "/F", "/TN", _TITLE, "/XML", str(file)),
            ("schtasks", "/Run", "/TN", _TITLE),
        ),
        end=(("schtasks", "/End", "/TN", _TITLE), ("schtasks", "/Delete", "/F", "/TN", _TITLE)),
    )


def _for_systemd(part: str) -> str:
    """One word of ExecStart: specifiers and variables mean nothing in it."""
    for special, plain in (("\\", "\\\\"), ('"', '\\"'), ("%", "%%"), ("$", "$$")):
        part = part.replace(special, plain)
    return f'"{part}"'


def _for_windows(part: str) -> str:
    return f'"{part}"' if " " in part else part
