"""``<member>_map`` of a DINOv2 member: what each place adds to the logit on the way from the usual.

Integrated gradients (Sundararajan, Taly and Yan, ICML 2017) over the last block: the tokens that
enter it go from those of the usual real face, the mean at each place over many, to those of the
picture, and each place is given what the logit gains by its own part of the way. Real faces differ
from the usual one as well; what three of four do not reach at their strongest place is taken off
everywhere. So what a real face shows is nothing, or faint.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from onnx import ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from stream_server.vision.types import Floats, Image
from training.arrays import as_floats
from training.export.four_bit import fits, rounded, stored_in_four_bits
from training.export.half_storage import stored_in_half
from training.export.heat_map import HeatModel, exported, per_frame
from training.export.layout import CROP_SHAPE
from training.export.written_out import written_out
from training.judge.grad_cam import still_logit
from training.models.dino import DinoEncoder
from training.models.encoder import as_input

_STEPS = (0.25, 0.75)  # of the way; six agree with two
_SPREAD = 0.8  # of a place, the Gaussian that the map is smoothed by
_REACH = 2
_USUAL = 0.75  # of the real faces show nothing
_LARGE = 4096  # bytes


@dataclass(frozen=True)
class PathMap:
    """Where each crop speaks for manipulation, to a DINOv2 member, and where against it.

    ``usual`` float ``[1, 1 + places, C]`` are the tokens of the usual real face; ``level``, in
    logits, is what three of four real faces do not reach at their strongest place.
    """

    encoder: DinoEncoder
    head: nn.Module
    usual: Tensor
    level: float = 0.0

    @classmethod
    def of_reals(cls, encoder: DinoEncoder, head: nn.Module, reals: Image) -> PathMap:
        """By real faces of many kinds, crops uint8 ``[n, 224, 224, 3]``."""
        with torch.no_grad():
            entering = [encoder.entering(as_input(torch.from_numpy(one[None]))) for one in reals]
        bare = cls(encoder, head, torch.stack(entering).mean(0))
        peaks = [float(bare.of_tokens(tokens).max()) for tokens in entering]
        return cls(encoder, head, bare.usual, float(np.quantile(peaks, _USUAL)))

    def of_crops(self, crops: Image) -> Floats:
        """Crops uint8 ``[n, 224, 224, 3]`` to logits ``[n, h, w]``, above zero for manipulation."""
        found = []
        for crop in crops:
            with torch.no_grad():
                tokens = self.encoder.entering(as_input(torch.from_numpy(crop[None])))
            found.append(self.of_tokens(tokens))
        return as_floats(torch.cat(found)[:, 0].numpy())

    def of_tokens(self, tokens: Tensor) -> Tensor:
        """The map ``[1, 1, h, w]`` of the tokens of one picture as they enter the last block."""
        path = self.path(tokens).requires_grad_(True)
        with torch.enable_grad():
            (slopes,) = torch.autograd.grad(self.score(path).sum(), path)
        return self.gained(tokens, slopes)

    def path(self, tokens: Tensor) -> Tensor:
        """The stops on the way from the usual real face to one picture, ``[stops, …, C]``."""
        steps = torch.tensor(_STEPS).reshape(-1, 1, 1)
        return self.usual + steps * (tokens - self.usual)

    def score(self, tokens: Tensor) -> Tensor:
        """The logits of tokens, each as a still picture: ``[stops, 1]``."""
        return still_logit(self.head, self.encoder.leaving(tokens))

    def gained(self, tokens: Tensor, slopes: Tensor) -> Tensor:
        """From the logit's slopes along the path to the map."""
        gains = ((tokens - self.usual) * slopes.mean(0, keepdim=True)).sum(2)[:, 1:]
        places = gains.reshape(1, 1, *self.encoder.net.patch_embed.grid_size)
        padded = functional.pad(places, (_REACH,) * 4, mode="replicate")
        return functional.conv2d(padded, _kernel()) - self.level


class _Traced(nn.Module):
    def __init__(self, map_: PathMap, gradient: nn.Module) -> None:
        super().__init__()
        self.map, self.gradient = map_, gradient
        # So that the weights of both are found, named, and moved to evaluation with it.
        self.encoder, self.head = map_.encoder, map_.head
        self.register_buffer("usual", map_.usual)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        tokens = self.map.encoder.entering(as_input(frames))
        found = self.map.gained(tokens, self.gradient(self.map.path(tokens)))
        return found, torch.ones_like(found[:, :, 0, 0])


def path_map(encoder: DinoEncoder, head: nn.Module, reals: Image) -> tuple[HeatModel, PathMap]:
    """The map model of a DINOv2 member, and the same in PyTorch.

    Its matrices are in 4 bit, all other large weights in 16, and all arithmetic in 32. ``MAP`` is
    the map itself, of one channel, and ``GRADIENT`` always 1.
    """
    encoder = copy.deepcopy(encoder).eval().requires_grad_(False)
    for layer in encoder.modules():
        if isinstance(layer, nn.Linear) and fits(as_floats(layer.weight.T.numpy())):
            layer.weight.copy_(torch.from_numpy(rounded(as_floats(layer.weight.T.numpy())).T))
    made = PathMap.of_reals(encoder, head, reals)
    frames = torch.zeros((1, *CROP_SHAPE), dtype=torch.uint8)
    path = made.path(encoder.entering(as_input(frames)))
    gradient = written_out(made.score, (path,))
    model = stored_in_four_bits(_filled(exported(_Traced(made, gradient).eval(), frames)))
    shape = cast(tuple[int, int, int], (1, *encoder.net.patch_embed.grid_size))
    return HeatModel(per_frame(stored_in_half(model), shape), shape, encoder.view), made


def _filled(model: ModelProto) -> ModelProto:
    """``model`` with its large constants of one number everywhere as that number and a shape."""
    graph = model.graph
    for node in graph.node:
        given = node.attribute[0].t if node.op_type == "Constant" else TensorProto()
        values = numpy_helper.to_array(given) if given.ByteSize() > _LARGE else np.arange(2)
        if (values == values.flat[0]).all():
            shape = np.array(values.shape, np.int64)
            graph.initializer.append(numpy_helper.from_array(shape, f"{node.output[0]}_shape"))
            number = helper.make_tensor("", given.data_type, [1], values.flat[:1])
            node.CopyFrom(
                helper.make_node(
                    "ConstantOfShape", [graph.initializer[-1].name], node.output, value=number
                )
            )
    return model


def _kernel() -> Tensor:
    away = torch.arange(-_REACH, _REACH + 1, dtype=torch.float32)
    bell = torch.exp(-(away**2) / (2 * _SPREAD**2))
    bell = bell / bell.sum()
    return (bell[:, None] * bell[None]).reshape(1, 1, len(away), len(away))
