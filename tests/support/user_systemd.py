"""A real ``systemd --user`` for one script, in namespaces of its own: it sees no service of this
machine's, and all it started ends with it.

systemd asks whether the machine was booted with it, and wants a cgroup (cgroups(7), version 2) that
it may divide; both are given within the namespaces, which takes root.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

_SYSTEMD = Path("/lib/systemd/systemd")
_OWN = ("unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
_OUTER = """set -e
mount --make-rprivate /
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system -m 755
mkdir -p /run/user/0 -m 700
ip link set lo up
mountpoint -q /sys/fs/cgroup && umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p "$1"
echo $$ > "$1/cgroup.procs"
exec unshare --cgroup --mount sh "$2" "$3"
"""
_INNER = """set -e
umount /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
export XDG_RUNTIME_DIR=/run/user/0
/lib/systemd/systemd --user > "$HOME/systemd.log" 2>&1 &
for i in $(seq 300); do
    systemctl --user list-units > /dev/null 2>&1 && exec sh -e "$1"
    sleep 0.1
done
cat "$HOME/systemd.log"
exit 99
"""


def under_systemd(script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a shell script with systemd beside it, with ``environment`` and no other; it needs a
    ``HOME``."""
    with tempfile.TemporaryDirectory(prefix="fakelight-systemd-") as folder:
        for name, text in (("outer", _OUTER), ("inner", _INNER), ("script", script)):
            (Path(folder) / name).write_text(text, encoding="utf-8")
        group = Path("/sys/fs/cgroup") / Path(folder).name
        command = [*_OWN, "sh", f"{folder}/outer", str(group), f"{folder}/inner"]
        try:
            return subprocess.run(
                [*command, f"{folder}/script"],
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=240,
                check=False,
            )
        finally:
            _remove(group.name)


def why_not() -> str:
    """Why none can be run here, or nothing."""
    if not _SYSTEMD.exists() or not shutil.which("unshare") or not shutil.which("ip"):
        return "systemd is not installed"
    ran = under_systemd("exit 0", {"HOME": tempfile.gettempdir(), "PATH": os.environ["PATH"]})
    if ran.returncode:
        return f"no systemd can be run here: {ran.stdout.strip()[-200:]}"
    return ""


def _remove(group: str) -> None:
    """Take the empty cgroup away again, wherever version 2 is mounted."""
    for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines():
        _, place, kind, *_ = line.split()
        if kind == "cgroup2" and (Path(place) / group).is_dir():
            for inner in sorted((Path(place) / group).rglob("*"), reverse=True):
                if inner.is_dir():
                    inner.rmdir()
            (Path(place) / group).rmdir()
            return
