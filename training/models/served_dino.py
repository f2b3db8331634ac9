"""DINOv2 members back out of the files that they are served from, to be differentiated.

What a heat map is made of is then what is served, and needs no file of the training. The exporter
turns matrices around and gives them names of its own, in the order in which they are used.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from training.models.dino import PATCH, DinoEncoder
from training.models.heads import SequenceHead
from training.models.weights import load_strictly

_LAYERS = ("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")
_MATRIX = "onnx::MatMul_"


def served_encoder(path: Path) -> DinoEncoder:
    """The encoder of a ``dinov2`` member's ``model.onnx``, adapters folded in.

    Raises ``ValueError`` for a graph that holds another net.
    """
    values = _values(path)
    state = {
        name.removeprefix("encoder."): value
        for name, value in values.items()
        if name.startswith("encoder.net.")
    }
    matrices = [value for name, value in values.items() if name.startswith(_MATRIX)]
    blocks = len(matrices) // len(_LAYERS)
    if "net.pos_embed" not in state or not blocks or len(matrices) % len(_LAYERS):
        raise ValueError(f"{path} holds no DINOv2 tower")
    for place, matrix in enumerate(matrices):
        block, layer = divmod(place, len(_LAYERS))
        state[f"net.blocks.{block}.{_LAYERS[layer]}.weight"] = matrix.T.contiguous()
    side = math.isqrt(state["net.pos_embed"].shape[1] - 1) * PATCH
    encoder = DinoEncoder(blocks=blocks, side=side)
    load_strictly(encoder, state, path)
    return encoder.eval().requires_grad_(False)


def served_mean(path: Path) -> SequenceHead:
    """The head of a member's ``model.onnx`` that takes the mean of the frames' logits.

    Raises ``ValueError`` for a graph that holds another head.
    """
    values = _values(path)
    matrices = [value for name, value in values.items() if name.startswith(_MATRIX)]
    if len(matrices) != 1 or set(values) - {"frame.bias"} != {n for n in values if _MATRIX in n}:
        raise ValueError(f"{path} holds more than the mean of the frames")
    head = SequenceHead(matrices[0].shape[0], "mean")
    with torch.no_grad():
        head.frame.weight.copy_(matrices[0].T)
        head.frame.bias.copy_(values["frame.bias"])
    return head.eval().requires_grad_(False)


def _values(path: Path) -> dict[str, Tensor]:
    import onnx
    from onnx import numpy_helper

    return {
        one.name.removesuffix("_half"): torch.from_numpy(
            np.array(numpy_helper.to_array(one), np.float32)
        )
        for one in onnx.load(str(path)).graph.initializer
    }
