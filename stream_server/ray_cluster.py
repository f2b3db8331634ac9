"""Units of work on a Ray cluster. The driver keeps the books: no unit is lost, none counts twice.

A unit is handed out at most once at a time and counted when its answer comes. Ray's own retries
are off: a worker or a node that dies gives the driver an error, and the driver hands the unit out
again and says so. What a unit leaves behind must therefore be the same however often it is begun.

Ray is imported when it is asked for; it is the extra ``ray``.
"""

from __future__ import annotations

import importlib
import logging
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from stream_server import __version__, no_telemetry

MAX_ATTEMPTS = 3  # a unit that takes its worker down so often is given up, as the server does
CONNECT_SECONDS = 10.0
_LOCAL_STORE = 128 * 2**20  # bytes; answers are small, and Ray would take a third of the memory
_TERMINATED = 143

Given = TypeVar("Given")
Unit = TypeVar("Unit")
Result = TypeVar("Result")


class ClusterError(ValueError):
    """The cluster cannot be used. The message names its address or the node, and what to do."""


@dataclass(frozen=True)
class Done(Generic[Unit, Result]):
    """An answer, the only one for its unit. ``node`` says where it was worked out."""

    unit: Unit
    result: Result
    node: str
    attempt: int


@dataclass(frozen=True)
class Lost(Generic[Unit]):
    """Attempt number ``attempt`` went down with its worker. ``again``: the unit is handed out once
    more; otherwise it is given up."""

    unit: Unit
    attempt: int
    reason: str
    again: bool


def this_node() -> str:
    """The host and Ray's id of the node that this worker runs on."""
    return f"{socket.gethostname()}/{_ray().get_runtime_context().get_node_id()[:8]}"


class Cluster:
    """A connection to a cluster; ``connect`` makes it and takes it down."""

    def __init__(self, ray: Any, address: str) -> None:
        self.address = address
        self._ray = ray
        self._pending: dict[Any, Any] = {}
        self._told_idle = False
        self._interrupted = False

    def interrupt(self, number: int, frame: object) -> None:
        """Handle Ctrl-C: ``run`` raises ``KeyboardInterrupt`` at its next turn, or this does at the
        second time. Raised in the middle of Ray's own code it may come out as another error."""
        del number, frame
        if self._interrupted:
            raise KeyboardInterrupt
        self._interrupted = True

    def run(
        self,
        function: Callable[[Given, Unit], Result],
        given: Given,
        units: Sequence[Unit],
    ) -> Iterator[Done[Unit, Result] | Lost[Unit]]:
        """``function(given, unit)`` for every unit, one CPU each, in the order they come in.

        ``function`` must be importable on the nodes by its module's name. Two units per CPU are
        handed out at most, so a million units cost no memory and nodes may come and go.

        Raises what ``function`` raises, and ``ClusterError`` where a node cannot run it.
        """
        remote = self._ray.remote(num_cpus=1, max_retries=0)(_call)
        attempts: Counter[int] = Counter()
        waiting = deque(range(len(units)))
        while waiting or self._pending:
            while waiting and len(self._pending) < self._room():
                number = waiting.popleft()
                attempts[number] += 1
                ref = remote.remote(__version__, function, given, units[number])
                self._pending[ref] = number
            # A short wait: signals get through, and new nodes are noticed.
            ready, _ = self._ray.wait(list(self._pending), num_returns=1, timeout=0.5)
            if self._interrupted:
                raise KeyboardInterrupt
            if not ready:
                self._tell_idle()
            for ref in ready:
                number = self._pending.pop(ref)
                outcome: Done[Unit, Result] | Lost[Unit] = self._outcome(
                    ref, units[number], attempts[number]
                )
                if isinstance(outcome, Lost) and outcome.again:
                    waiting.appendleft(number)
                yield outcome

    def _outcome(self, ref: Any, unit: Any, attempt: int) -> Done[Any, Any] | Lost[Any]:
        errors = self._ray.exceptions
        try:
            result, node = self._ray.get(ref)
        except errors.RuntimeEnvSetupError as error:
            raise ClusterError(
                f"a node of {self.address} cannot start: {short_error(error)}"
            ) from None
        except errors.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, Exception) and not isinstance(cause, errors.RayError):
                raise cause from None
            raise ClusterError(
                f"a node of {self.address} cannot run Fakelight {__version__} (is it installed"
                f" there, with the same extras?): {short_error(error)}"
            ) from None
        except errors.RayError as error:
            return Lost(unit, attempt, short_error(error), attempt < MAX_ATTEMPTS)
        return Done(unit, result, node, attempt)

    def _room(self) -> int:
        return max(2 * int(self._ray.cluster_resources().get("CPU", 0)), 2)

    def _tell_idle(self) -> None:
        if self._told_idle or self._ray.cluster_resources().get("CPU", 0) >= 1:
            return
        self._told_idle = True
        sys.stderr.write(f"{self.address} has no CPU to give; waiting for a node\n")


@contextmanager
def connect(address: str) -> Iterator[Cluster]:
    """The cluster at ``address``: ``HOST:PORT`` of its head from one of its nodes,
    ``ray://HOST:PORT`` from elsewhere, ``auto`` for the one this machine is a node of, ``local``
    for one of this machine alone, made for the purpose.

    On the way out, whatever the reason, what is in flight is ended.

    Raises ``ClusterError`` where Ray is not installed or the cluster does not answer.
    """
    ray = _ray()
    main = threading.current_thread() is threading.main_thread()
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT) if main}
    _init(ray, address)
    cluster = Cluster(ray, address)
    if main:
        # Ray's own handler ends with status 15, as if that were an answer.
        signal.signal(signal.SIGTERM, _terminate)
        if before[signal.SIGINT] is not signal.SIG_IGN:  # as in a shell's background
            signal.signal(signal.SIGINT, cluster.interrupt)
    try:
        yield cluster
    finally:
        # Ends what is in flight, too: a node kills the workers of a driver that has gone. Not
        # ray.cancel: with Ray 2.60 that ends the driver on the spot ("Tried to complete task that
        # was not pending") where an answer is just coming in.
        ray.shutdown()
        for one, handler in before.items():
            signal.signal(one, handler)


def join(address: str, namespace: str) -> Any:
    """Ray itself, connected to the cluster at ``address``; for actors with names in ``namespace``,
    which go on without the program that made them.

    To be called from a thread: in the main one Ray takes the process's signals. Raises as
    ``connect``.
    """
    ray = _ray()
    _init(ray, address, namespace=namespace)
    return ray


def _init(ray: Any, address: str, **more: Any) -> None:
    _knock(ray, address)
    # Beside what ray.init sets, for what it says before and for the client of ray:// addresses.
    logging.getLogger("ray").setLevel(logging.ERROR)
    # Whatever log_to_driver says, Ray tells of nodes that die on standard output, which may be the
    # JSON report's. It has no public setting for that.
    ray._private.worker._worker_logs_enabled = False
    options: dict[str, Any] = {
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        # Workers have their node's environment, not this one.
        "runtime_env": {"env_vars": {name: os.environ[name] for name in no_telemetry.FORBIDDING}},
    }
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": _LOCAL_STORE}
    try:
        ray.init(address=address, **options, **more)
    except Exception as error:  # Ray raises that very class too
        ray.shutdown()
        raise ClusterError(f"no Ray cluster at {address}: {short_error(error)}") from None


def _call(
    version: str, function: Callable[[Given, Unit], Result], given: Given, unit: Unit
) -> tuple[Result, str]:
    """What runs on the node."""
    if version != __version__:
        raise ClusterError(
            f"node {this_node()} has Fakelight {__version__}, this machine {version};"
            " they must be the same"
        )
    return function(given, unit), this_node()


def _ray() -> Any:
    try:
        return importlib.import_module("ray")
    except ImportError as error:
        raise ClusterError(
            f"--ray needs Ray, which is not installed ({error}): pip install 'fakelight[ray]'"
        ) from None


def _knock(ray: Any, address: str) -> None:
    """Ray itself tries for more than a minute and fills the terminal; so ask the port first."""
    if address in ("local", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise ClusterError(
            f"--ray is {address!r}; it must be HOST:PORT, ray://HOST:PORT, auto or local"
        )
    if not address.startswith("ray://") and host in ("localhost", "127.0.0.1"):
        host = ray.util.get_node_ip_address()  # what Ray makes of it
    began = time.monotonic()
    try:
        with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
            pass
    except OSError as error:
        raise ClusterError(
            f"no Ray cluster at {address}: {host}:{port}: {error.strerror or error}"
        ) from None
    if os.environ.get("RAY_USE_TLS", "0") not in ("0", ""):
        return
    import grpc  # type: ignore[import-untyped]

    left = max(CONNECT_SECONDS - (time.monotonic() - began), 1.0)
    with grpc.insecure_channel(f"{host}:{port}") as channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=left)
        except grpc.FutureTimeoutError:
            raise ClusterError(
                f"no Ray cluster at {address}: what listens there did not answer as Ray does"
                f" in {CONNECT_SECONDS:.0f} s"
            ) from None


def _terminate(number: int, frame: object) -> None:
    del number, frame
    sys.exit(_TERMINATED)


def short_error(error: BaseException) -> str:
    """The type and the sentence that says most, without Ray's pages of advice."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = lines[-1] if "Traceback" in str(error) else " ".join(lines[:2])
    return f"{type(error).__name__}: {telling[:240]}"
