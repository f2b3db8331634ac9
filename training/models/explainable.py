"""An encoder in two parts, as its heat maps need it (Grad-CAM).

Grad-CAM needs the last feature map and the way from it to the features, apart from each other.
``parts_of`` knows the registry's encoders; any other is explained as soon as it has the two
methods of ``Explainable``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.backbones import ClipEncoder, FaceNetEncoder, TimmEncoder
from training.models.encoder import MobileNetV2Encoder
from training.models.mesonet import Meso4, MesoInception4, _sized
from training.models.residual import ResidualEncoder


@runtime_checkable
class Explainable(Protocol):
    """An encoder that says itself where its last map is: ``encoder(image)`` must be
    ``from_map(*last_map(image))``. An attribute ``view`` tells which part of each side of the crop
    the map covers, from the middle; without one it is the whole crop."""

    def last_map(self, image: Tensor) -> tuple[Tensor, ...]:
        """The last feature map, and what else the features are made of.

        Takes what the encoder takes, float ``[N, 3, S, S]``. The first of the tensors is the map,
        ``[N, C, h, w]``; the others, if any, have N rows too and count as constants.
        """

    def from_map(self, maps: Tensor, *rest: Tensor) -> Tensor:
        """Features ``[N, D]`` from what ``last_map`` gave; differentiable operations only."""


@dataclass(frozen=True)
class Parts:
    """The two halves of an encoder; see ``Explainable``. ``view`` is the share of each side of the
    crop that the map covers, around the crop's middle."""

    last_map: Callable[[Tensor], tuple[Tensor, ...]]
    from_map: Callable[..., Tensor]
    view: float = 1.0


def parts_of(encoder: nn.Module) -> Parts:
    """The two halves of ``encoder``.

    Raises ``ValueError`` for an encoder of which nobody knows where its last map is, or whose
    halves do not add up to it.
    """
    parts = _taken_apart(encoder)
    crop = torch.linspace(-1, 1, 3 * 224 * 224).reshape(1, 3, 224, 224)
    was, training = encoder.training, encoder.eval()
    with torch.no_grad():
        wanted = training(crop)
        found = parts.from_map(*parts.last_map(crop))
    encoder.train(was)
    if not torch.allclose(found, wanted, atol=1e-4, rtol=1e-4):
        raise ValueError(
            f"{type(encoder).__name__}: from_map(last_map(image)) is not what it gives for image; "
            f"they differ by {(found - wanted).abs().max().item():.3g}"
        )
    return parts


def _taken_apart(encoder: nn.Module) -> Parts:
    view = float(getattr(encoder, "view", 1.0))
    if isinstance(encoder, Explainable):
        return Parts(encoder.last_map, encoder.from_map, view)
    if isinstance(encoder, MobileNetV2Encoder):
        pooled = encoder
        return Parts(
            lambda image: (pooled.maps(image),), lambda maps: pooled.head(maps.mean((2, 3))), view
        )
    if isinstance(encoder, ResidualEncoder):
        stages = encoder
        return Parts(
            lambda image: tuple(reversed(stages.maps(image))),
            lambda *maps: stages.features(list(reversed(maps))),
            view,
        )
    if isinstance(encoder, Meso4 | MesoInception4):
        meso = encoder
        return Parts(
            lambda image: (_meso_map(meso, image),), lambda maps: _meso_features(meso, maps)
        )
    if isinstance(encoder, FaceNetEncoder):
        return _facenet(encoder)
    if isinstance(encoder, TimmEncoder | ClipEncoder):
        fit, net = encoder.fit, cast(Any, encoder.net)
        unit = isinstance(encoder, ClipEncoder)

        def features(maps: Tensor, *rest: Tensor) -> Tensor:
            found = timm_features(net, maps, *rest)
            return functional.normalize(found, dim=1) if unit else found

        return Parts(lambda image: timm_map(net, fit(image)), features)
    raise ValueError(
        f"{type(encoder).__name__} does not say where its last map is: give it last_map and "
        "from_map (training.models.explainable)"
    )


def _meso_map(meso: Meso4 | MesoInception4, image: Tensor) -> Tensor:
    image = _sized(image)
    if isinstance(meso, Meso4):
        maps = functional.max_pool2d(meso.first_norm(meso.first(image).relu()), 2)
        maps = functional.max_pool2d(meso.second_norm(meso.second(maps).relu()), 2)
    else:
        maps = meso.second(meso.first(image))
    tail = meso.tail
    maps = functional.max_pool2d(tail.third_norm(tail.third(maps).relu()), 2)
    return functional.max_pool2d(tail.fourth_norm(tail.fourth(maps).relu()), 4)


def _meso_features(meso: Meso4 | MesoInception4, maps: Tensor) -> Tensor:
    return functional.leaky_relu(meso.tail.hidden(maps.flatten(1)), 0.1)


def _facenet(encoder: FaceNetEncoder) -> Parts:
    layers = dict(encoder.net.named_children())
    # They stand in the order in which they run; block8 gives the last map.
    before = list(layers)[: list(layers).index("block8") + 1]

    def last_map(image: Tensor) -> tuple[Tensor, ...]:
        maps = encoder.fit(image)
        for name in before:
            maps = layers[name](maps)
        return (maps,)

    def from_map(maps: Tensor) -> Tensor:
        return cast(Tensor, layers["last_bn"](layers["last_linear"](maps.mean((2, 3)))))

    return Parts(last_map, from_map)


def timm_map(net: Any, image: Tensor) -> tuple[Tensor, ...]:
    """``Explainable.last_map`` of any timm network.

    Of a convolutional one the output of its last stage. Of a vision transformer the patches'
    tokens as they enter the last block's attention, put back into their grid: after that block
    nothing of them reaches a class token any more.
    """
    if not _is_transformer(net):
        maps: Tensor = net.forward_features(image)
        if maps.ndim != 4:
            raise ValueError(f"{type(net).__name__} gives no map but {list(maps.shape)}")
        return (maps,)
    tokens = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(image))))
    for block in net.blocks[:-1]:
        tokens = block(tokens)
    entering: Tensor = net.blocks[-1].norm1(tokens)
    before = int(net.num_prefix_tokens)
    rows, columns = (int(side) for side in net.patch_embed.grid_size)
    patches = entering[:, before:].transpose(1, 2)
    patches = patches.reshape(*patches.shape[:2], rows, columns)
    return patches, entering[:, :before], tokens


def timm_features(net: Any, maps: Tensor, *rest: Tensor) -> Tensor:
    """``Explainable.from_map`` of any timm network."""
    if not _is_transformer(net):
        return cast(Tensor, net.forward_head(maps))
    prefix, tokens = rest
    block = net.blocks[-1]
    entering = torch.cat((prefix, maps.flatten(2).transpose(1, 2)), 1)
    tokens = tokens + block.ls1(block.attn(entering))
    tokens = tokens + block.ls2(block.mlp(block.norm2(tokens)))
    return cast(Tensor, net.forward_head(net.norm(tokens)))


def _is_transformer(net: Any) -> bool:
    return all(hasattr(net, part) for part in ("blocks", "patch_embed", "num_prefix_tokens"))
