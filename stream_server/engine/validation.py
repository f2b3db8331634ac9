"""Checks on what goes into a model and what comes out of it, from its declared tensors."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stream_server.engine.base import EngineUnavailable, InvalidInput
from stream_server.engine.spec import Arrays, ModelSpec, TensorInfo


def check_inputs(spec: ModelSpec, inputs: Arrays) -> None:
    """Hold a call against the model's config, as Triton does on its side.

    Raises:
        InvalidInput: naming the tensor, what came, and what is allowed.
    """
    declared = {tensor.name for tensor in spec.inputs}
    strangers = sorted(inputs.keys() - declared)
    if strangers:
        raise InvalidInput(
            f"{spec.name} has no input {strangers[0]!r}; its inputs are "
            + ", ".join(sorted(declared))
        )
    batches: set[int] = set()
    for tensor in spec.inputs:
        array = inputs.get(tensor.name)
        if array is None:
            if tensor.name in spec.optional_inputs:
                continue
            raise InvalidInput(f"{spec.name} needs input {tensor.name!r}")
        if array.dtype != _dtype(tensor.dtype):
            raise InvalidInput(
                f"{spec.name}: {tensor.name} is {array.dtype}, must be {tensor.dtype}"
            )
        if not shape_fits(array.shape, tensor.shape):
            raise InvalidInput(
                f"{spec.name}: {tensor.name} has shape {list(array.shape)}, "
                f"must be {_readable(tensor)}"
            )
        if spec.max_batch_size:
            batches.add(array.shape[0])
    if len(batches) > 1:
        raise InvalidInput(f"{spec.name}: inputs differ in batch size: {sorted(batches)}")
    if batches and max(batches) > spec.max_batch_size:
        raise InvalidInput(
            f"{spec.name}: batch of {max(batches)}, the limit is {spec.max_batch_size}"
        )


def check_outputs(spec: ModelSpec, inputs: Arrays, outputs: Arrays) -> dict[str, NDArray[Any]]:
    """Hold an answer against the config: a server that answers nonsense counts as down.

    Returns:
        The outputs, each of the declared type and shape, finite, and probabilities in 0 to 1.

    Raises:
        EngineUnavailable: naming the tensor and what is wrong with it.
    """
    batch = len(next(iter(inputs.values()))) if spec.max_batch_size and inputs else None
    checked: dict[str, NDArray[Any]] = {}
    for tensor in spec.outputs:
        array = outputs.get(tensor.name)
        where = f"{spec.name} answered {tensor.name}"
        if array is None:
            raise EngineUnavailable(f"{spec.name} answered without {tensor.name}")
        shape = tensor.shape if batch is None else (batch, *tensor.shape[1:])
        if array.dtype != _dtype(tensor.dtype) or not shape_fits(array.shape, shape):
            raise EngineUnavailable(
                f"{where} as {array.dtype} {list(array.shape)}, not {tensor.dtype} {list(shape)}"
            )
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise EngineUnavailable(f"{where} with values that are not finite")
        if tensor.name.endswith("PROBABILITY") and not ((array >= 0) & (array <= 1)).all():
            raise EngineUnavailable(f"{where} outside 0 to 1")
        checked[tensor.name] = array
    return checked


def shape_fits(shape: tuple[int, ...], declared: tuple[int, ...]) -> bool:
    """Whether a real shape fits a declared one; -1 stands for any length of 1 or more."""
    if -1 not in declared:
        return shape == declared
    return len(shape) == len(declared) and all(
        have == want or (want == -1 and have > 0)
        for have, want in zip(shape, declared, strict=True)
    )


# Parsing a name takes longer than all the rest of a check whose code has left the cache.
_dtype = functools.cache(np.dtype)


def _readable(tensor: TensorInfo) -> str:
    return "[" + ", ".join("any" if axis < 0 else str(axis) for axis in tensor.shape) + "]"
