"""A real Ray cluster on this machine: every node is a ``ray start`` with an address of its own."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from tests.support.server import free_port

RAY = Path(sys.executable).with_name("ray")
WORKING = "ray::_call"  # the title that Ray gives to a process while it works on a unit
# A node that is gone is noticed within seconds, workers are as urgent as their tests (Ray's are
# 15 nicer), and Ray reports to nobody.
ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_failure_threshold": "3",
    "RAY_worker_niceness": "0",
    "OMP_NUM_THREADS": "1",
}
_START_SECONDS = 120
_TRIES = 3


class Node:
    """One node: ``ray start --block`` and everything below it."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def tree(self) -> list[psutil.Process]:
        try:
            top = psutil.Process(self._process.pid)
            return [top, *top.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def working(self) -> bool:
        """Whether it works on a unit at this moment."""
        return any(_title(process).startswith(WORKING) for process in self.tree())

    def kill(self) -> None:
        """Gone at a blow, as a machine whose power fails."""
        tree = self.tree()
        _send(tree, signal.SIGKILL)
        psutil.wait_procs(tree, timeout=60)
        self._process.wait(60)

    def kill_at_work(self, until: float) -> None:
        """The same, at a moment when it certainly works on a unit."""
        while time.monotonic() < until:
            tree = self.tree()
            _send(tree, signal.SIGSTOP)
            if self.working():
                self.kill()
                return
            _send(tree, signal.SIGCONT)
            time.sleep(0.02)
        raise AssertionError("the node had nothing to do")


class RayNodes:
    """A head with one CPU; further nodes are added, one CPU each. Drivers need ``environment``."""

    def __init__(self) -> None:
        # Ray puts sockets there, whose paths must be short.
        self._folder = Path(tempfile.mkdtemp(prefix="fl-ray-"))
        self._nodes: list[Node] = []
        # Whoever reaches a cluster can run anything on it, so this one asks for a token.
        token = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
        self.environment = os.environ | ENVIRONMENT | token
        # All of 127.0.0.0/8 is this machine on Linux; Ray takes 127.0.0.1 for its outer address.
        self._network = f"127.{1 + os.getpid() % 250}.0"
        head = f"{self._network}.1"
        ports = [free_port(head), free_port(head)]
        self.address = f"{head}:{ports[0]}"
        self.head = self._start(
            "--head",
            f"--port={ports[0]}",
            f"--ray-client-server-port={ports[1]}",
            f"--temp-dir={self._folder}",
            "--include-dashboard=false",
            "--disable-usage-stats",
        )

    def add(self) -> Node:
        return self._start(f"--address={self.address}")

    def close(self) -> None:
        for node in reversed(self._nodes):
            node.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _start(self, *options: str) -> Node:
        log = self._folder / f"start-{len(self._nodes)}.log"
        fixed = ["--num-cpus=1", "--object-store-memory=80000000", "--block"]
        fixed.append(f"--node-ip-address={self._network}.{1 + len(self._nodes)}")
        # A node gives its own parts 15 and 30 s to start, no more; a busy machine may need longer.
        for _ in range(_TRIES):
            with log.open("wb") as out:
                process = subprocess.Popen(
                    [str(RAY), "start", *options, *fixed],
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=self.environment,
                    preexec_fn=_end_with_parent,
                )
            node = Node(process)
            try:
                wait_for(lambda: "Ray runtime started" in log.read_text(), process, _START_SECONDS)
            except AssertionError as error:
                node.kill()
                problem = f"a node did not start ({error}):\n{log.read_text()}"
            else:
                self._nodes.append(node)
                return node
        self.close()
        raise AssertionError(problem)


def wait_for(
    condition: Callable[[], bool], process: subprocess.Popen[bytes], seconds: float
) -> None:
    """Return once ``condition`` holds; fail where ``process`` ends or the time is up before."""
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, f"ended with status {process.returncode} before its time"
        assert time.monotonic() < until, f"nothing in {seconds} s"
        time.sleep(0.02)


def _end_with_parent() -> None:
    """A test run that is killed leaves no cluster behind (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _send(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess, psutil.AccessDenied):
        return ""
