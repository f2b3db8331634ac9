"""Encoders around other people's networks, each at its own size and with its own normalisation.

All take float ``[N, 3, S, S]`` in -1 to 1, as every encoder here does, resize it to the network's
own size and shift it to the range that its weights were made for, so that both are part of the
exported graph. The network lies in ``net``; ``dim`` is the width of the features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.weights import load_start

CLIP = "vit_large_patch14_clip_quickgelu_224.openai"
FACENET_SIZE = 160


class Resized(nn.Module):
    """Pictures in -1 to 1 to a network's own size, and to its own mean and deviation.

    ``mean`` and ``std`` are per channel for pictures in 0 to 1, as timm's configurations give them.
    """

    def __init__(self, size: int, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        self.size = size
        deviation = torch.tensor(std)[:, None, None]
        # Not in the state: they follow from the name, and files without them stay readable.
        self.register_buffer("scale", 0.5 / deviation, persistent=False)
        shift = (0.5 - torch.tensor(mean)[:, None, None]) / deviation
        self.register_buffer("shift", shift, persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] != self.size:
            shape = (self.size, self.size)
            image = functional.interpolate(image, shape, mode="bilinear", align_corners=False)
        scale, shift = cast(Tensor, self.scale), cast(Tensor, self.shift)
        return image * scale + shift


class TimmEncoder(nn.Module):
    """A timm network, pooled.

    ``size`` overrides the size that its weights were made for; ``tag`` after a dot in ``backbone``
    names the weights, as in timm.
    """

    def __init__(
        self, backbone: str, start: Path | None, download: bool, size: int | None = None
    ) -> None:
        super().__init__()
        import timm

        net: Any = timm.create_model(backbone, pretrained=download, num_classes=0)
        if start is not None:
            load_start(net, start)
        # What comes out after pooling: wider than num_features where a layer follows it.
        self.dim = int(net.head_hidden_size)
        self.net: nn.Module = net
        facts = net.pretrained_cfg
        self.fit = Resized(size or int(facts["input_size"][-1]), facts["mean"], facts["std"])

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.net(self.fit(image)))


class FaceNetEncoder(nn.Module):
    """facenet-pytorch's InceptionResnetV1, 512 features before its one output.

    The network is FaceNet's (Schroff et al., CVPR 2015) as David Sandberg trained it; TorchFakes
    gave it one output. It looks at 160 pixels in -1 to 1. Its weights (VGGFace2 or CASIA-WebFace)
    are files to be fetched; without one it starts at random.
    """

    dim = 512

    def __init__(self, start: Path | None = None) -> None:
        super().__init__()
        from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

        # With classify its features are not brought to unit length: the output follows at once.
        net: Any = InceptionResnetV1(pretrained=None, classify=True, num_classes=1)
        net.logits = nn.Identity()
        if start is not None:
            load_start(net, start)
        self.net: nn.Module = net
        self.fit = Resized(FACENET_SIZE, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.net(self.fit(image)))


class ClipEncoder(nn.Module):
    """CLIP's vision tower; LayerNorms alone are trained, and features have unit length.

    Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", ICML
    2021, ViT-L/14: the class token after the last LayerNorm, 1024 numbers. That tuning 0.03 % of
    the weights and a linear logit on unit vectors is enough, and carries over to other data sets,
    is from Yermakov, Cech and Matas, "Unlocking the Hidden Potential of CLIP in Generalizable
    Deepfake Detection", arXiv:2503.19683, 2025, and, with Fritz, "Deepfake Detection that
    Generalizes Across Benchmarks", arXiv:2508.06248, WACV 2026. Their losses on the sphere
    (alignment and uniformity) are not used here.

    ``shape`` overrides the tower's depth, width and heads (timm's arguments).
    """

    def __init__(self, start: Path | None = None, download: bool = False, **shape: int) -> None:
        super().__init__()
        import timm

        settings: dict[str, Any] = {"pretrained": download, "num_classes": 0, **shape}
        net: Any = timm.create_model(CLIP, **settings)
        if start is not None:
            load_start(net, start)
        net.requires_grad_(False)
        for part in net.modules():
            if isinstance(part, nn.LayerNorm):
                part.requires_grad_(True)
        self.dim = int(net.num_features)
        self.net: nn.Module = net
        facts = net.pretrained_cfg
        self.fit = Resized(int(facts["input_size"][-1]), facts["mean"], facts["std"])

    def forward(self, image: Tensor) -> Tensor:
        return functional.normalize(self.net(self.fit(image)), dim=1)
