"""Models by name.

The names of ``ZOO`` mean exactly one thing each. Any other name is ``BACKBONE_HEAD``: ``BACKBONE``
is ``mobilenetv2`` or ``efficientnet_lite0`` to ``2`` (our own, on the middle of the crop),
``dinov2`` (the first blocks of its ViT-S), ``dinov2_whole`` (all of them on the whole crop),
``residual`` (high-pass residuals, regions compared), ``meso4``, ``mesoinception4``, or any timm
model's name; ``HEAD`` is ``lstm``, ``gru``, ``mean`` or ``attention``.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from torch import nn

from stream_server.engine.spec import LANDMARK_DIM
from training.models.backbones import ClipEncoder, FaceNetEncoder, TimmEncoder
from training.models.dino import DEPTH, WHOLE, DinoEncoder
from training.models.encoder import MobileNetV2Encoder
from training.models.heads import HEADS, HeadKind, LandmarkHead, SequenceHead, WideLSTM
from training.models.lite import SIZES, EfficientNetLiteEncoder
from training.models.mesonet import Meso4, MesoInception4
from training.models.residual import ResidualEncoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Spec:
    """What a name means.

    ``backbone`` is empty for ``landmark_gru``. ``size`` is the pixels that the backbone looks at;
    None is its own choice.
    """

    name: str
    backbone: str
    head: HeadKind | Literal["wide_lstm"]
    size: int | None = None


_OWN = (
    "mobilenetv2", *(f"efficientnet_lite{size}" for size in SIZES), "dinov2", "dinov2_whole",
    "residual",
    "meso4", "mesoinception4", "inception_resnet_v1", "clip_vit_l14",
)  # fmt: skip
"""Backbones that are not timm's names."""

ZOO: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        Spec("landmark_gru", "", "gru"),
        # Models of single frames: a clip is the mean of its frames.
        Spec("resnet50", "resnet50", "mean"),
        Spec("efficientnet_b0", "efficientnet_b0", "mean"),
        Spec("inception_v3", "inception_v3", "mean"),
        Spec("inception_resnet_v1", "inception_resnet_v1", "mean"),
        Spec("clip_vit_l14", "clip_vit_l14", "mean"),
        # Models of sequences.
        Spec("resnext50_lstm", "resnext50_32x4d", "wide_lstm", 112),
        Spec("inception_v3_gru", "inception_v3", "gru"),
        Spec("efficientnet_b2_gru", "efficientnet_b2", "gru"),
    )
}

FULL: tuple[str, ...] = tuple(name for name in ZOO if name != "landmark_gru")
"""The large members of the ``full`` repository, for a GPU."""

NAMES: tuple[str, ...] = (
    "mobilenetv2_lstm",
    "efficientnet_lite0_lstm",
    "efficientnet_lite2_mean",
    "dinov2_mean",
    "dinov2_whole_mean",
    "residual_lstm",
    *ZOO,
    "meso4_mean",
    "mesoinception4_mean",
    "mobilenetv2_attention",
    "mobilenetv3_small_050_gru",
    "mobilenetv3_large_100_lstm",
    "efficientnet_b0_gru",
    "resnet18_lstm",
    "resnet50_attention",
    "resnext50_32x4d_lstm",
)
"""Those that are known to train; any other timm name with a head works alike."""


def parse(name: str) -> Spec:
    """The parts of ``name``. Raises ``ValueError`` naming what is unknown in it."""
    if name in ZOO:
        return ZOO[name]
    backbone, _, head = name.rpartition("_")
    if not backbone or head not in HEADS:
        raise ValueError(
            f"model {name!r}: it must end in one of _{', _'.join(HEADS)}, or be one of "
            f"{', '.join(ZOO)}"
        )
    if backbone not in _OWN:
        import timm

        if not timm.is_model(backbone):
            raise ValueError(f"model {name!r}: timm has no backbone {backbone!r}")
    return Spec(name, backbone, head)


def make_encoder(
    spec: Spec,
    start: Path | None = None,
    download: bool = False,
    size: int | None = None,
    rank: int = 0,
) -> nn.Module | None:
    """The encoder of ``spec``, or None where it has none.

    ``start`` is a file of pretrained weights; ``download`` lets timm fetch them where there is a
    network; with neither it starts from random weights. The log says which it was. ``size``
    overrides the pixels that a timm backbone looks at. With ``rank`` adapters of that rank are
    trained in the place of the weights. Raises ``ValueError`` for a backbone that takes none.
    """
    if not spec.backbone:
        return None
    if rank and not spec.backbone.startswith("dinov2"):
        raise ValueError(f"rank {rank}: {spec.name} takes no adapters, dinov2 does")
    fetched = download and (spec.backbone not in _OWN or spec.backbone == "clip_vit_l14")
    origin = str(start) if start else "timm's pretrained weights" if fetched else "random weights"
    log.info("%s starts from %s", spec.name, origin)
    match spec.backbone:
        case "mobilenetv2":
            return MobileNetV2Encoder(start)
        case "efficientnet_lite0" | "efficientnet_lite1" | "efficientnet_lite2":
            return EfficientNetLiteEncoder(start, int(spec.backbone[-1]))
        case "dinov2":
            return DinoEncoder(start, rank=rank)
        case "dinov2_whole":
            return DinoEncoder(start, DEPTH, rank, WHOLE)
        case "residual":
            return ResidualEncoder(start)
        case "meso4":
            return Meso4()
        case "mesoinception4":
            return MesoInception4()
        case "inception_resnet_v1":
            return FaceNetEncoder(start)
        case "clip_vit_l14":
            return ClipEncoder(start, download)
    return TimmEncoder(spec.backbone, start, download, size or spec.size)


def feature_dim(encoder: nn.Module | None) -> int:
    """The width of what ``encoder`` gives; without one, of the landmarks."""
    return int(getattr(encoder, "dim", 0)) if encoder is not None else LANDMARK_DIM


def make_head(spec: Spec, dim: int) -> nn.Module:
    """The head of ``spec`` on features of width ``dim``."""
    if not spec.backbone:
        return LandmarkHead()
    return WideLSTM(dim) if spec.head == "wide_lstm" else SequenceHead(dim, spec.head)
