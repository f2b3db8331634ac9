"""The embedded engine: ONNX Runtime in this process, over Triton's model repository.

Sessions run in a small thread pool, so the event loop never waits for them. An ensemble runs in
one thread from its first step to its last: handing every step over on its own would cost more
than the small models in between take. Only encoders are large enough: a worker that has nothing
else to do takes one up while the thread runs another.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from stream_server import tracing
from stream_server.engine.base import (
    EngineBusy,
    EngineUnavailable,
    InvalidInput,
    ModelNotFound,
)
from stream_server.engine.repository import ModelRepository
from stream_server.engine.single import SingleEngine
from stream_server.engine.spec import FACE_FEATURES, Arrays, ModelSpec, Step
from stream_server.engine.validation import check_inputs
from stream_server.engine.wiring import ordered_steps

log = logging.getLogger(__name__)


class EmbeddedEngine(SingleEngine):
    """Runs the repository's models with ONNX Runtime on the CPU.

    Args:
        repository: the models.
        threads: threads inside one session. More shortens one call on an idle machine and
            costs throughput on a busy one.
        workers: calls that run side by side.
        max_pending: calls that may wait for a worker; one more raises EngineBusy.
        quantised: whether to open files in 8 bit where a model has one; without, what both engines
            are compared on.
    """

    name = "embedded"
    #: Measured on a CPU: a crop takes no less in a batch than alone, and from 3 on a CNN's
    #: activations leave the cache (EfficientNet-Lite0: 10.0 ms alone, 10.2 in twos, 11.0 in fours).
    crop_batch = 1

    def __init__(
        self,
        repository: ModelRepository,
        threads: int = 1,
        workers: int = 2,
        max_pending: int = 64,
        quantised: bool = True,
    ) -> None:
        if threads < 1 or workers < 1:
            raise ValueError(f"threads ({threads}) and workers ({workers}) must be at least 1")
        self.repository = repository
        self.parallel = workers
        self._threads = threads
        self._quantised = quantised
        self._limit = workers + max_pending
        self._pending = 0
        self._closed = False
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="fakelight-onnx")
        self._sessions: dict[str, ort.InferenceSession] = {}
        # One each: two models may be opened at once, but none twice.
        self._opening = {name: threading.Lock() for name in repository.models}
        self._orders: dict[str, list[Step]] = {
            name: ordered_steps(spec)
            for name, spec in repository.models.items()
            if spec.kind == "ensemble"
        }

    async def start(self) -> None:
        """Begin to open what every crop goes through, while the first is still looked for. What
        goes wrong with a model is raised where it is asked."""
        if FACE_FEATURES in self._orders and not self._closed:
            for step in self._orders[FACE_FEATURES]:
                self._pool.submit(self._session, self.repository.models[step.model])

    async def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model or ensemble; see ``Engine.infer``."""
        spec = self._checked(model, inputs)
        if self._closed:
            raise EngineUnavailable("the embedded engine is closed")
        if self._pending >= self._limit:
            raise EngineBusy(f"{self._pending} calls are waiting, the limit is {self._limit}")
        self._pending += 1
        try:
            work = asyncio.get_running_loop().run_in_executor(
                self._pool, self._take_up, spec, inputs, time.perf_counter()
            )
            # A caller that gives up must not free the slot while a thread is still at work.
            work.add_done_callback(self._finished)
        except RuntimeError as error:
            self._pending -= 1
            raise EngineUnavailable("the embedded engine is closed") from error
        with tracing.inner("infer", engine=self.name, model=model):
            return await asyncio.shield(work)

    def run(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """As ``infer``, for the calling thread and past the queue; for tools and tests."""
        return self._run(self._checked(model, inputs), inputs)

    async def close(self) -> None:
        """Let running calls finish, drop the others, and free the sessions."""
        self._closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(self._pool.shutdown, wait=True)
        self._sessions.clear()

    def _checked(self, model: str, inputs: Arrays) -> ModelSpec:
        spec = self.repository.models.get(model)
        if spec is None:
            known = ", ".join(sorted(self.repository.models))
            raise ModelNotFound(f"no model {model!r} in {self.repository.path}; it has {known}")
        check_inputs(spec, inputs)
        return spec

    def _finished(self, work: asyncio.Future[dict[str, NDArray[Any]]]) -> None:
        self._pending -= 1
        if not work.cancelled():
            work.exception()  # taken here too, so that a caller who left causes no warning

    def _take_up(self, spec: ModelSpec, inputs: Arrays, asked: float) -> dict[str, NDArray[Any]]:
        if self._observer is not None:
            self._observer.queued(self.name, spec.name, time.perf_counter() - asked)
        return self._run(spec, inputs)

    def _run(self, spec: ModelSpec, inputs: Arrays) -> dict[str, NDArray[Any]]:
        if spec.kind == "model":
            return self._run_model(spec, inputs)
        tensors: dict[str, NDArray[Any]] = dict(inputs)
        order = self._orders[spec.name]
        offered = self._offered(order, tensors) if spec.name == FACE_FEATURES else {}
        try:
            for step in order:
                helped = offered.get(step.model)
                # What nobody has taken up by now is taken back and done here.
                if helped is not None and not helped.cancel():
                    made = helped.result()
                else:
                    given = {name: tensors[source] for name, source in step.inputs.items()}
                    made = self._run(self.repository.models[step.model], given)
                for name, target in step.outputs.items():
                    tensors[target] = made[name]
        finally:
            for helped in offered.values():  # where a step failed the rest is for nothing
                helped.cancel()
        return {tensor.name: tensors[tensor.name] for tensor in spec.outputs}

    def _offered(
        self, order: list[Step], tensors: Arrays
    ) -> dict[str, Future[dict[str, NDArray[Any]]]]:
        """The steps after the first that need nothing but ``tensors``, for other workers."""
        offered = {}
        for step in order[1:]:
            if tensors.keys() >= set(step.inputs.values()):
                given = {name: tensors[source] for name, source in step.inputs.items()}
                with suppress(RuntimeError):  # the engine is being closed
                    offered[step.model] = self._pool.submit(
                        self._run, self.repository.models[step.model], given
                    )
        return offered

    def _run_model(self, spec: ModelSpec, inputs: Arrays) -> dict[str, NDArray[Any]]:
        session = self._session(spec)
        names = [tensor.name for tensor in spec.outputs]
        # Ensembles hand intermediate tensors on; only a caller's own can be non-contiguous.
        feed = {name: np.ascontiguousarray(array) for name, array in inputs.items()}
        began = time.perf_counter()
        try:
            answer = dict(zip(names, self._answers(session, names, feed, spec), strict=True))
        except Exception as error:  # ONNX Runtime's errors have no common base but Exception
            kind = type(error).__name__
            if kind in ("InvalidArgument", "Fail", "RuntimeException"):
                # The model loaded and its inputs fit the config, so it is what is in them.
                raise InvalidInput(f"{spec.name}: {error}") from error
            raise EngineUnavailable(f"{spec.name}: {kind}: {error}") from error
        if self._observer is not None:
            rows = len(next(iter(feed.values())))
            self._observer.ran(self.name, spec.name, rows, time.perf_counter() - began)
        return answer

    def _session(self, spec: ModelSpec) -> ort.InferenceSession:
        session = self._sessions.get(spec.name)
        if session is None:
            with self._opening[spec.name]:
                session = self._sessions.get(spec.name)
                if session is None:
                    path = spec.embedded_file if self._quantised else spec.model_file
                    # What is asked that seldom is waited for, and need not leave cores idle.
                    threads = max(self._threads, self.parallel if spec.as_written else 1)
                    session = open_session(path, threads, spec.as_written)
                    self._sessions[spec.name] = session
        return session

    def _answers(
        self, session: ort.InferenceSession, names: list[str], feed: Arrays, spec: ModelSpec
    ) -> list[NDArray[Any]]:
        rows = len(next(iter(feed.values())))
        if rows == 1 or not (self._quantised and spec.row_by_row):
            return list(session.run(names, dict(feed)))
        parts = [
            session.run(names, {name: array[row : row + 1] for name, array in feed.items()})
            for row in range(rows)
        ]
        return [np.concatenate(part) for part in zip(*parts, strict=True)]


def open_session(path: Path, threads: int = 1, as_written: bool = False) -> ort.InferenceSession:
    """An ONNX Runtime session on the CPU.

    ``as_written`` leaves the graph as it is, weights in few bits among it: their constants would be
    worked out on opening, one by one, and ONNX Runtime does not give back what that took.

    Raises:
        EngineUnavailable: the file is missing or ONNX Runtime cannot load it.
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors are raised; they need not be printed as well
    # Spinning threads would burn a core between frames, on a machine that also plays the video.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if as_written:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.enable_mem_pattern = False  # it would set all of a run's memory aside once more
    try:
        return ort.InferenceSession(
            str(path), sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # ONNX Runtime's errors have no common base but Exception
        raise EngineUnavailable(f"cannot load {path}: {error}") from error
