"""``fakelight install`` and ``uninstall``: the command on the PATH, the server with the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from stream_server import resources
from stream_server.commands.session_service import NAME, for_this_system
from stream_server.server.token_file import load_token
from stream_server.settings import Settings


def install(settings: Settings) -> int:
    """Put the command on the PATH and run the server now and with each session; the exit status.

    Once is enough, again does no harm. Raises ``OSError`` where a file cannot be written.
    """
    _say(_command_on_path())
    service = for_this_system(server_command())
    service.file.parent.mkdir(parents=True, exist_ok=True)
    service.file.write_bytes(service.content)
    trouble = _run(service.begin)
    if trouble:
        sys.stderr.write(
            f"fakelight: {service.file} is written, but the server could not be started with it:"
            f" {trouble}\nStart it yourself: {NAME} serve\n"
        )
        return 1
    _say(f"The server runs, and begins with each of your sessions ({service.file}).")
    _say(f"Open http://{settings.host}:{settings.port}/#token={load_token(settings)}")
    _say(f"The extension is in {resources.extension_dir()}")
    return 0


def uninstall(settings: Settings, keep_data: bool) -> int:
    """Undo ``install``, and forget the key, pairings, results and incidents unless ``keep_data``;
    the exit status. The package itself goes as it came: by pip, uv or pipx."""
    service = for_this_system(server_command())
    if service.file.exists():
        _run(service.end)
        service.file.unlink()
        _run(service.after)
        _say(f"{service.file} is gone, and the server is stopped.")
    link = _link()
    if link.is_symlink() or (link.suffix and link.exists()):
        link.unlink()
        _say(f"{link} is gone.")
    own = settings.state_dir == resources.default_state_dir()
    if settings.state_dir.exists() and own and not keep_data:
        shutil.rmtree(settings.state_dir)
        _say(f"{settings.state_dir} is gone, with the key, pairings and results in it.")
    elif settings.state_dir.exists():
        _say(f"{settings.state_dir} is kept: the key, pairings and results.")
    return 0


def server_command() -> tuple[str, ...]:
    """What starts the server, wherever it is called from."""
    python = Path(sys.executable)
    silent = python.with_name("pythonw.exe")  # Windows opens a window for the other
    return (str(silent if silent.exists() else python), "-m", "stream_server.cli", "serve")


def _command_on_path() -> str:
    own = Path(sys.executable).with_name(f"{NAME}.exe" if os.name == "nt" else NAME)
    found = shutil.which(NAME)
    if found and Path(found).resolve() == own.resolve():
        return f"The command is {found}."
    if not own.exists():
        raise FileNotFoundError(f"{own} is not there: install the package first, with pip or uv")
    link = _link()
    link.parent.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":
        link.write_text(f'@"{own}" %*\r\n', encoding="utf-8")
    else:
        if link.exists() and not link.is_symlink():
            raise FileExistsError(f"{link} is there already and not ours; take it away first")
        link.unlink(missing_ok=True)
        link.symlink_to(own)
    known = str(link.parent) in os.environ.get("PATH", "").split(os.pathsep)
    return f"The command is {link}." + ("" if known else f" Add {link.parent} to your PATH.")


def _link() -> Path:
    """Where the command is put: a folder on the PATH of most systems, in the person's own."""
    if os.name == "nt":
        local = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
        return local / "Microsoft" / "WindowsApps" / f"{NAME}.cmd"
    return Path.home() / ".local" / "bin" / NAME


def _run(commands: Sequence[Sequence[str]]) -> str:
    """Run each; what went wrong, or nothing."""
    for command in commands:
        try:
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{command[0]}: {error.strerror}"
        if ran.returncode:
            return f"{' '.join(command)}: {(ran.stderr or ran.stdout).strip()}"
    return ""


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
