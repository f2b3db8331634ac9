"""A derivative as a graph of plain operations that the ONNX exporter knows.

``make_fx`` records what PyTorch computes in a backward pass; backward kernels are replaced by
PyTorch's own decompositions, and the few operations without a counterpart in ONNX by equals.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import torch
from torch import Tensor
from torch._decomp import decomposition_table
from torch.fx import GraphModule
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

_BACKWARD: dict[Any, Callable[..., Any]] = {
    op: rule for op, rule in decomposition_table.items() if "backward" in str(op)
}


def written_out(score: Callable[..., Tensor], given: Sequence[Tensor]) -> GraphModule:
    """d ``score(*given)`` / d ``given[0]``, as a module that takes ``given``.

    ``score`` gives ``[N, 1]``; its rows must not depend on one another, and its parameters must
    not ask for gradients. The module is for tensors of exactly these shapes.
    """

    def gradient(first: Tensor, *rest: Tensor) -> Tensor:
        result: Any = torch.func.vjp(lambda moved: score(moved, *rest), first)
        found, pull = result
        return cast(Tensor, pull(torch.ones_like(found))[0])

    # Fused kernels for LSTMs and attention have no derivative in plain operations.
    with _plain(), sdpa_kernel(SDPBackend.MATH):
        # Without changes in place, which the exporter's tracer follows wrongly.
        pure = torch.func.functionalize(gradient, remove="mutations")
        traced = make_fx(pure, decomposition_table=_BACKWARD)(*given)
    for node in traced.graph.nodes:
        node.target = _EQUALS.get(node.target, node.target)
    traced.graph.eliminate_dead_code()
    traced.recompile()
    return traced


@contextmanager
def _plain() -> Iterator[None]:
    with warnings.catch_warnings():
        # Setting its flags, also back to what they were, brings a notice about Intel's GPUs.
        warnings.filterwarnings("ignore", message="TF32 acceleration")
        with torch.backends.mkldnn.flags(enabled=False):
            yield


def _to(given: Tensor, dtype: torch.dtype | None = None, **_: Any) -> Tensor:
    return given if dtype is None else given.to(dtype)


def _same(given: Tensor, *_: Any, **__: Any) -> Tensor:
    return given


def _copy(given: Tensor, source: Tensor, *_: Any) -> Tensor:
    return source.to(given.dtype).expand(given.shape)


def _strided(given: Tensor, source: Tensor, size: Sequence[int], *_: Any) -> Tensor:
    if tuple(size) != tuple(given.shape):
        raise ValueError(f"a gradient of {tuple(size)} laid into {tuple(given.shape)}")
    return source


def _softmax(given: Tensor, dim: int, _half: bool) -> Tensor:
    return torch.softmax(given, dim)


def _view(given: Tensor, shape: Sequence[int]) -> Tensor:
    return given.reshape(tuple(shape))


def _batch_norm(
    given: Tensor, weight: Tensor, bias: Tensor, mean: Tensor, variance: Tensor,
    _training: bool, _momentum: float, eps: float,
) -> tuple[Tensor]:  # fmt: skip
    return (functional.batch_norm(given, mean, variance, weight, bias, False, 0.0, eps),)


def _select_scatter(given: Tensor, source: Tensor, dim: int, index: int) -> Tensor:
    length = given.shape[dim]
    index %= length
    before = given.narrow(dim, 0, index)
    after = given.narrow(dim, index + 1, length - index - 1)
    parts = [part for part in (before, source.unsqueeze(dim), after) if part.shape[dim]]
    return torch.cat(parts, dim)


def _slice_scatter(
    given: Tensor, source: Tensor, dim: int = 0, start: int | None = None, end: int | None = None,
    step: int = 1,
) -> Tensor:  # fmt: skip
    length = given.shape[dim]
    first, last, _ = slice(start, end).indices(length)
    if step != 1:
        raise ValueError(f"a gradient laid into every {step}th place")
    parts = (given.narrow(dim, 0, first), source, given.narrow(dim, last, length - last))
    return torch.cat([part for part in parts if part.shape[dim]], dim)


def _convolution_backward(
    gradient: Tensor, _given: Tensor, weight: Tensor, _bias: Any, stride: Sequence[int],
    padding: Sequence[int], dilation: Sequence[int], transposed: bool, _out: Any, groups: int,
    _mask: Any,
) -> tuple[Tensor]:  # fmt: skip
    if transposed or any(step != 1 for step in stride):
        raise ValueError(f"a convolution of stride {tuple(stride)} after the last map")
    found = functional.conv_transpose2d(
        gradient, weight, None, 1, tuple(padding), 0, groups, tuple(dilation)
    )
    return (found,)


_ATEN = torch.ops.aten
_EQUALS: dict[Any, Callable[..., Any]] = {
    _ATEN._to_copy.default: _to,
    _ATEN.detach.default: _same,
    _ATEN.alias.default: _same,
    _ATEN.clone.default: _same,
    _ATEN.lift_fresh_copy.default: _same,
    _ATEN.copy.default: _copy,
    _ATEN.as_strided_scatter.default: _strided,
    _ATEN.fill.Scalar: torch.full_like,
    _ATEN._softmax.default: _softmax,
    _ATEN._safe_softmax.default: torch.softmax,
    _ATEN._unsafe_view.default: _view,
    _ATEN.hardswish_.default: functional.hardswish,
    _ATEN.native_batch_norm.default: _batch_norm,
    _ATEN._native_batch_norm_legit_no_training.default: lambda given, w, b, m, v, _, eps: (
        _batch_norm(given, w, b, m, v, False, 0.0, eps)
    ),
    _ATEN.select_scatter.default: _select_scatter,
    _ATEN.slice_scatter.default: _slice_scatter,
    _ATEN.convolution_backward.default: _convolution_backward,
}
