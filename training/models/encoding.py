"""From crops to features, with an encoder of either kind: trained here, or served."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from stream_server.vision.types import Floats
from training.arrays import as_floats
from training.models.encoder import as_input
from training.models.served import OnnxEncoder

Encode = Callable[[NDArray[np.uint8]], Floats]
"""From crops uint8 ``[n, 224, 224, 3]`` to features ``[n, D]``."""


def encode_with(encoder: nn.Module | None, half: bool = False) -> Encode | None:
    """A function from crops uint8 ``[n, 224, 224, 3]`` to features ``[n, D]``.

    It works on a copy on the GPU where there is one. ``half`` uses bfloat16 on the CPU and float16
    on a GPU; encoders of a model repository are run as they are served.
    """
    if encoder is None:
        return None
    if isinstance(encoder, OnnxEncoder):
        return encoder.encode
    if torch.cuda.is_available():
        encoder = copy.deepcopy(encoder).to("cuda")
    encoder.eval()
    device = next(encoder.parameters()).device
    kind = torch.bfloat16 if device.type == "cpu" else torch.float16

    def encode(crops: NDArray[np.uint8]) -> Floats:
        image = as_input(torch.from_numpy(crops).to(device))
        with torch.inference_mode(), torch.autocast(device.type, kind, enabled=half):
            return as_floats(encoder(image).float().cpu().numpy())

    return encode


def stamp(encoder: nn.Module | None) -> str:
    """A name for exactly these weights: a new training must not read an old one's features."""
    if isinstance(encoder, OnnxEncoder):
        return encoder.stamp
    digest = hashlib.sha256()
    for name, value in encoder.state_dict().items() if encoder is not None else ():
        digest.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]
