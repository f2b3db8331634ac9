"""Models by name.

A name is ``BACKBONE_HEAD``. ``BACKBONE`` is ``mobilenetv2`` (our own, with a way out for its early
layers), ``meso4``, ``mesoinception4``, or any timm model's name; ``HEAD`` is ``lstm``, ``gru``,
``mean`` or ``attention``. ``landmark_gru`` has no backbone.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import training.torchvision_compat  # noqa: F401  # before timm

# isort: split
import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.encoder import MobileNetV2Encoder, load_start
from training.models.heads import HEADS, HeadKind, LandmarkHead, SequenceHead
from training.models.mesonet import Meso4, MesoInception4

log = logging.getLogger(__name__)

LANDMARK_DIM = 10

NAMES: tuple[str, ...] = (
    "mobilenetv2_lstm",
    "landmark_gru",
    "meso4_mean",
    "mesoinception4_mean",
    "mobilenetv2_attention",
    "mobilenetv3_small_050_gru",
    "mobilenetv3_large_100_lstm",
    "efficientnet_b0_gru",
    "efficientnet_b2_gru",
    "resnet18_lstm",
    "resnet50_attention",
    "resnext50_32x4d_lstm",
    "inception_v3_gru",
)
"""Those that are known to train; any other timm name with a head works alike."""

_ALIASES = {"mobilenetv2": "mobilenetv2", "meso4": "meso4", "mesoinception4": "mesoinception4"}


@dataclass(frozen=True)
class Spec:
    """What a name means. ``backbone`` is empty for ``landmark_gru``."""

    name: str
    backbone: str
    head: HeadKind


def parse(name: str) -> Spec:
    """The parts of ``name``. Raises ``ValueError`` naming what is unknown in it."""
    if name == "landmark_gru":
        return Spec(name, "", "gru")
    backbone, _, head = name.rpartition("_")
    if not backbone or head not in HEADS:
        raise ValueError(f"model {name!r}: it must end in one of _{', _'.join(HEADS)}")
    if backbone not in _ALIASES:
        import timm

        if not timm.is_model(backbone):
            raise ValueError(f"model {name!r}: timm has no backbone {backbone!r}")
    return Spec(name, backbone, head)


class TimmEncoder(nn.Module):
    """A timm backbone, pooled, on crops resized to ``size``; features as wide as its last map."""

    def __init__(self, backbone: str, start: Path | None, download: bool, size: int) -> None:
        super().__init__()
        import timm

        net: Any = timm.create_model(backbone, pretrained=download, num_classes=0)
        if start is not None:
            load_start(net, start)
        # What comes out after pooling: wider than num_features where a layer follows it.
        self.dim = int(net.head_hidden_size)
        self.net: nn.Module = net
        self.size = size

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] != self.size:
            shape = (self.size, self.size)
            image = functional.interpolate(image, shape, mode="bilinear", align_corners=False)
        return cast(Tensor, self.net(image))


def make_encoder(
    spec: Spec, start: Path | None = None, download: bool = False, size: int = 224
) -> nn.Module | None:
    """The encoder of ``spec``, or None where it has none.

    ``start`` is a file of ImageNet weights; ``download`` lets timm fetch them where there is a
    network; with neither it starts from random weights. The log says which it was.
    """
    origin = str(start) if start else "timm's pretrained weights" if download else "random weights"
    if not spec.backbone:
        return None
    log.info("%s starts from %s", spec.name, origin)
    if spec.backbone == "mobilenetv2":
        return MobileNetV2Encoder(start)
    if spec.backbone in ("meso4", "mesoinception4"):
        return Meso4() if spec.backbone == "meso4" else MesoInception4()
    return TimmEncoder(spec.backbone, start, download, size)


def make_head(spec: Spec, dim: int) -> nn.Module:
    """The head of ``spec`` on features of width ``dim``."""
    return SequenceHead(dim, spec.head) if spec.backbone else LandmarkHead()


@dataclass
class Member:
    """A trained model: ``encoder`` on crops (None for landmarks) and ``head`` on windows."""

    name: str
    encoder: nn.Module | None
    head: nn.Module
    dim: int

    def eval(self) -> Member:
        self.head.eval()
        if self.encoder is not None:
            self.encoder.eval()
        return self


def save_member(path: Path, member: Member, facts: dict[str, object]) -> None:
    """Write a member and ``facts`` about its training; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    state = {
        "name": member.name,
        "dim": member.dim,
        "encoder": member.encoder.state_dict() if member.encoder is not None else None,
        "head": member.head.state_dict(),
        "facts": facts,
    }
    torch.save(state, unfinished)
    unfinished.rename(path)


def load_member(path: Path) -> Member:
    """Read what ``save_member`` wrote. Raises ``FileNotFoundError`` or ``ValueError``."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; the train step writes it")
    state = torch.load(path, map_location="cpu", weights_only=True)
    missing = {"name", "dim", "encoder", "head"} - set(state)
    if missing:
        raise ValueError(f"{path} is no member: {', '.join(sorted(missing))} missing")
    spec = parse(state["name"])
    encoder = make_encoder(spec)
    if encoder is not None:
        encoder.load_state_dict(state["encoder"])
    head = make_head(spec, int(state["dim"]))
    head.load_state_dict(state["head"])
    return Member(spec.name, encoder, head, int(state["dim"])).eval()
