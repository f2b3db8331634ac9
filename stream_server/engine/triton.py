"""The Triton engine: the same model repository, served by Triton Inference Server over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable
from typing import Any

import grpc  # type: ignore[import-untyped]
from numpy.typing import NDArray
from tritonclient.grpc import InferInput, model_config_pb2
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from stream_server.engine.base import (
    Arrays,
    EngineBusy,
    EngineError,
    EngineUnavailable,
    InvalidInput,
    ModelInfo,
    ModelNotFound,
)
from stream_server.engine.embedded import EmbeddedEngine
from stream_server.engine.repository import (
    FACE_FEATURES,
    SEQUENCE_VERDICT,
    ModelRepository,
    example_inputs,
)
from stream_server.engine.shared_memory import Region, RegionPool, host_is_local
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


class TritonEngine:
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
        self._asked_for_kind = False
        self._client: InferenceServerClient | None = None
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
        if not self._asked_for_kind:
            await self._ask_for_kind()
        taken: list[Region] = []
        try:
            try:
                return await self._infer(model, inputs, taken)
            except RegionUnknown:
                # The server restarted since they were registered.
                if self._regions is not None:
                    self._regions.forget()
                return await self._infer(model, inputs, None)
        finally:
            for region in taken:
                if self._regions is not None:
                    self._regions.give_back(region)
                else:
                    region.close()

    async def probe(self) -> None:
        """Send a real inference through both ensembles; raises EngineUnavailable.

        The server's health endpoints are not asked: they call a dead model ready.
        """
        for name in (FACE_FEATURES, SEQUENCE_VERDICT):
            try:
                await self.infer(name, example_inputs(self.repository.models[name]))
            except EngineUnavailable:
                raise
            except EngineBusy:
                continue  # at work, only with others
            except EngineError as error:
                raise EngineUnavailable(f"probe of {name} at {self.url}: {error}") from error

    def describe(self) -> list[ModelInfo]:
        """Every model and ensemble of the repository that the server is expected to serve."""
        return self.repository.describe()

    async def close(self) -> None:
        """Close the channel; calls in flight fail."""
        self._closed = True
        client, self._client = self._client, None
        if client is None:
            return
        if self._regions is not None:
            for name in self._regions.forget():
                with contextlib.suppress(InferenceServerException):
                    await client.unregister_system_shared_memory(name, client_timeout=0.5)
        await client.close()

    async def _ask_for_kind(self) -> None:
        """Find out, once, whether the server has a GPU: on a CPU large batches cost time."""
        encoder = self.repository.models[FACE_FEATURES].steps[0].model
        call = self._connected().get_model_config(encoder, client_timeout=self.timeout)
        try:
            config = (await self._call(call)).config
        except EngineUnavailable:
            raise  # the inference itself would fare no better
        except EngineError as error:
            log.debug("Triton at %s does not tell its instance kind: %s", self.url, error)
            return
        self._asked_for_kind = True
        kinds = {group.kind for group in config.instance_group}
        if kinds == {model_config_pb2.ModelInstanceGroup.KIND_CPU}:
            self.crop_batch = EmbeddedEngine.crop_batch

    async def _infer(
        self, model: str, inputs: Arrays, taken: list[Region] | None
    ) -> dict[str, NDArray[Any]]:
        tensors = []
        for name, array in inputs.items():
            dtype = np_to_triton_dtype(array.dtype)
            if dtype is None:
                raise InvalidInput(f"{model}: {name} is {array.dtype}, which Triton does not know")
            tensor = InferInput(name, list(array.shape), dtype)
            region = None if taken is None else await self._region(array.nbytes)
            if region is None:
                tensor.set_data_from_numpy(array)
            else:
                assert taken is not None
                taken.append(region)
                region.write(array)
                tensor.set_shared_memory(region.name, array.nbytes)
            tensors.append(tensor)
        result = await self._call(
            self._connected().infer(
                model,
                tensors,
                timeout=int(self.timeout * 1e6),  # so that the server drops what came too late
                client_timeout=self.timeout,
            )
        )
        names = [output.name for output in result.get_response().outputs]
        try:
            outputs = {name: result.as_numpy(name) for name in names}
        except ValueError as error:  # fewer bytes than the shape says
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
        register = self._connected().register_system_shared_memory
        await self._call(register(name, key, size, client_timeout=self.timeout))

    async def _call(self, call: Awaitable[Any]) -> Any:
        try:
            return await call
        except InferenceServerException as error:
            raise to_engine_error(error, self.url, self.timeout) from error
        except (grpc.RpcError, grpc.aio.UsageError) as error:  # the channel closed under the call
            raise EngineUnavailable(f"Triton at {self.url}: {error}") from error
        except asyncio.CancelledError:
            # Closing the channel cancels its calls; only a cancelled caller is to stay cancelled.
            if self._closed:
                raise EngineUnavailable("the Triton engine is closed") from None
            raise

    def _connected(self) -> InferenceServerClient:
        if self._closed:
            raise EngineUnavailable("the Triton engine is closed")
        if self._client is None:  # not in __init__: a channel belongs to the running event loop
            self._client = InferenceServerClient(self.url, channel_args=_CHANNEL)
        return self._client


def to_engine_error(error: InferenceServerException, url: str, timeout: float) -> EngineError:
    """What a failure of Triton 2.51.0 means to the caller."""
    status = (error.status() or "").removeprefix("StatusCode.")
    message = error.message()
    text = f"Triton at {url}: {message}"
    if "shared memory region" in message:
        return RegionUnknown(text)
    if status == "INVALID_ARGUMENT":
        return InvalidInput(text)
    if status == "NOT_FOUND" and "no available versions" not in message:
        return ModelNotFound(text)
    if status == "UNAVAILABLE" and (
        "maximum queue size" in message or "timeout expired" in message
    ):
        return EngineBusy(text)
    if status == "DEADLINE_EXCEEDED":
        return EngineUnavailable(f"Triton at {url}: no answer within {timeout:g} s")
    # NOT_FOUND "no available versions" is a server that stops; INTERNAL a model process that
    # died; UNAVAILABLE a server that is not there.
    return EngineUnavailable(text)


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for axis in shape:
        size *= axis
    return size
