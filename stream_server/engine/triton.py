"""The Triton engine: the same model repository, served by Triton Inference Server over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable
from typing import Any

import grpc  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError
from numpy.typing import NDArray
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc

from stream_server import tracing
from stream_server.engine.base import (
    EngineBusy,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    ModelNotFound,
)
from stream_server.engine.embedded import EmbeddedEngine
from stream_server.engine.rates import SAMPLE_HZ
from stream_server.engine.repository import ModelRepository
from stream_server.engine.shared_memory import Region, RegionPool, host_is_local, padded
from stream_server.engine.single import SingleEngine
from stream_server.engine.spec import FACE_FEATURES, Arrays
from stream_server.engine.triton_wire import INFER, RequestWriter, read_answer
from stream_server.engine.validation import check_outputs

log = logging.getLogger(__name__)

# With gRPC's own settings a restarted server is noticed after up to 15 s.
_CHANNEL = [
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    # Channels to the same address share their back-off otherwise.
    ("grpc.use_local_subchannel_pool", 1),
]
_REGION_CROPS = 32
_GPU_CROPS = 32


class RegionUnknown(EngineUnavailable):
    """The server cannot map, or no longer knows, a shared memory region. It is up."""


class TritonEngine(SingleEngine):
    """Calls a Triton server.

    Args:
        repository: the repository the server is expected to serve; its answers are held against
            the declared types and shapes.
        url: ``HOST:PORT`` of the gRPC endpoint.
        timeout: seconds that one call may take, queueing included. Raising it tolerates a
            slower server and makes every stall as much longer for the person who watches.
        shared_memory: whether large inputs go through system shared memory; None for when the
            address is this machine's loopback. If the server cannot map it, messages are used.
    """

    name = "triton"
    #: The next batch travels while the GPU works on the one before.
    parallel = 2

    def __init__(
        self,
        repository: ModelRepository,
        url: str,
        timeout: float = 1.0,
        shared_memory: bool | None = None,
    ) -> None:
        if timeout <= 0:
            raise ValueError(f"timeout is {timeout}, must be above 0 seconds")
        self.repository = repository
        self.url = url
        self.timeout = timeout
        self.crop_batch = _GPU_CROPS
        self._asked = False
        self._connection: _Connection | None = None
        self._requests = RequestWriter(timeout)
        self._closed = False
        crop_bytes = _product(repository.crop_shape)
        shared = host_is_local(url) if shared_memory is None else shared_memory
        self._regions = RegionPool(self._register, _REGION_CROPS * crop_bytes) if shared else None

    @property
    def shared_memory(self) -> bool:
        """Whether large inputs go through shared memory."""
        return self._regions is not None

    async def infer(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Run one model or ensemble on the server; see ``Engine.infer``."""
        if not self._asked:
            await self._ask()
        began = time.perf_counter()
        try:
            with tracing.inner("infer", "client", engine=self.name, model=model):
                answer = await self._send(model, inputs)
        except EngineUnavailable:
            self._asked = False  # it may come back with other models
            raise
        if self._observer is not None:
            rows = len(next(iter(inputs.values())))
            self._observer.ran(self.name, model, rows, time.perf_counter() - began)
        return answer

    async def _send(self, model: str, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """Through shared memory where there is any, else in the message."""
        region = None
        if self._regions is not None:
            region = await self._region(sum(padded(array) for array in inputs.values()))
        if region is None:
            return await self._infer(model, inputs, None)
        try:
            return await self._infer(model, inputs, region)
        except RegionUnknown:
            # The server restarted since they were registered.
            self._asked = False
            if self._regions is not None:
                self._regions.forget()
            return await self._infer(model, inputs, None)
        finally:
            if self._regions is not None:
                self._regions.give_back(region)
            else:
                region.close()

    async def close(self) -> None:
        """Close the channel; calls in flight fail."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._regions is not None:
            for name in self._regions.forget():
                request = service_pb2.SystemSharedMemoryUnregisterRequest(name=name)
                with contextlib.suppress(grpc.RpcError):
                    await connection.stub.SystemSharedMemoryUnregister(request, timeout=0.5)
        await connection.channel.close()

    async def _ask(self) -> None:
        """Ask once whether the server has a GPU (on a CPU large batches cost time), and whether
        its members look as often as those that the stand-in and the streams know.

        Raises EngineUnavailable where they do not: their windows would mean something else.
        """
        kinds: set[int] = set()
        for step in self.repository.models[FACE_FEATURES].steps:
            request = service_pb2.ModelConfigRequest(name=step.model)
            call = self._connected().stub.ModelConfig(request, timeout=self.timeout)
            try:
                config = (await self._call(call)).config
            except EngineUnavailable:
                raise  # the inference itself would fare no better
            except EngineError as error:
                log.debug("Triton at %s does not tell its configs: %s", self.url, error)
                return
            kinds |= {group.kind for group in config.instance_group}
            mine = self.repository.models[step.model].parameters.get(SAMPLE_HZ)
            theirs = config.parameters[SAMPLE_HZ].string_value or None
            if theirs != mine:
                raise EngineUnavailable(
                    f"Triton at {self.url} serves {step.model} with {SAMPLE_HZ} "
                    f"{theirs or 'unset'}, the models here with {mine or 'unset'}"
                )
        self._asked = True
        if kinds == {model_config_pb2.ModelInstanceGroup.KIND_CPU}:
            self.crop_batch = EmbeddedEngine.crop_batch

    async def _infer(
        self, model: str, inputs: Arrays, region: Region | None
    ) -> dict[str, NDArray[Any]]:
        if region is None:
            request = self._requests.message(model, inputs)
        else:
            request = self._requests.reference(model, inputs, region.name)
            region.write(inputs.values())
        answer = await self._call(
            self._connected().infer(
                request, timeout=self.timeout, metadata=tracing.headers() or None
            )
        )
        try:
            outputs = read_answer(answer)
        except (ValueError, DecodeError) as error:  # e.g. fewer bytes than the shape says
            raise EngineUnavailable(f"{model} at {self.url}: {error}") from error
        spec = self.repository.models.get(model)
        return outputs if spec is None else check_outputs(spec, inputs, outputs)

    async def _region(self, nbytes: int) -> Region | None:
        if self._regions is None:
            return None
        try:
            return await self._regions.take(nbytes)
        except (RegionUnknown, InvalidInput, OSError) as error:
            log.info("no shared memory with Triton at %s, sending messages: %s", self.url, error)
            self._regions = None
            return None

    async def _register(self, name: str, key: str, size: int) -> None:
        request = service_pb2.SystemSharedMemoryRegisterRequest(name=name, key=key, byte_size=size)
        register = self._connected().stub.SystemSharedMemoryRegister
        await self._call(register(request, timeout=self.timeout))

    async def _call(self, call: Awaitable[Any]) -> Any:
        try:
            return await call
        except grpc.aio.AioRpcError as error:
            raise to_engine_error(error, self.url, self.timeout) from error
        except (grpc.RpcError, grpc.aio.UsageError) as error:  # the channel closed under the call
            raise EngineUnavailable(f"Triton at {self.url}: {error}") from error
        except asyncio.CancelledError:
            # Closing the channel cancels its calls; only a cancelled caller is to stay cancelled.
            if self._closed:
                raise EngineUnavailable("the Triton engine is closed") from None
            raise

    def _connected(self) -> _Connection:
        if self._closed:
            raise EngineUnavailable("the Triton engine is closed")
        if self._connection is None:  # not in __init__: a channel belongs to the running event loop
            self._connection = _Connection(self.url)
        return self._connection


class _Connection:
    """One channel: ``infer`` takes and gives serialised messages, ``stub`` protobuf's objects."""

    def __init__(self, url: str) -> None:
        self.channel = grpc.aio.insecure_channel(url, options=_CHANNEL)
        self.infer = self.channel.unary_unary(INFER)
        self.stub = service_pb2_grpc.GRPCInferenceServiceStub(self.channel)


def to_engine_error(error: grpc.aio.AioRpcError, url: str, timeout: float) -> EngineError:
    """What a failure of Triton 2.51.0 means to the caller."""
    status = error.code()
    message = error.details() or ""
    text = f"Triton at {url}: {message}"
    if "shared memory region" in message:
        return RegionUnknown(text)
    if status == grpc.StatusCode.INVALID_ARGUMENT:
        return InvalidInput(text)
    if status == grpc.StatusCode.NOT_FOUND and "no available versions" not in message:
        return ModelNotFound(text)
    if status == grpc.StatusCode.UNAVAILABLE and (
        "maximum queue size" in message or "timeout expired" in message
    ):
        return EngineBusy(text)
    if status == grpc.StatusCode.DEADLINE_EXCEEDED:
        return EngineUnavailable(f"Triton at {url}: no answer within {timeout:g} s")
    # NOT_FOUND "no available versions" is a server that stops; INTERNAL a model process that
    # died; UNAVAILABLE a server that is not there.
    return EngineUnavailable(text)


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for axis in shape:
        size *= axis
    return size
