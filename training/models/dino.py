"""DINOv2's ViT-S/14, its first blocks on the middle of the crop, tuned by small adapters.

Oquab et al., "DINOv2: Learning Robust Visual Features without Supervision", TMLR 2024. What it
learnt was never about who somebody is, and adapters of low rank (Hu et al., "LoRA: Low-Rank
Adaptation of Large Language Models", ICLR 2022) leave little room to learn clips by heart.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from training.models.backbones import Resized
from training.models.encoder import middle
from training.models.onnx_start import tower_in
from training.models.weights import State, load_start

NET = "vit_small_patch14_dinov2"
BLOCKS, SIDE, PATCH = 8, 182, 14  # 13 patches of 14 pixels; the last four blocks add nothing
DEPTH, WHOLE = 12, 224  # all of it, on 16 by 16 patches: the whole crop
_LAYERS = ("qkv", "proj", "fc1", "fc2")
_NAMES = {
    "norm1": "norm1", "norm2": "norm2", "layer_scale1.lambda1": "ls1.gamma",
    "layer_scale2.lambda1": "ls2.gamma", "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1", "mlp.fc2": "mlp.fc2",
}  # fmt: skip


class DinoEncoder(nn.Module):
    """The first ``blocks`` of the tower on the middle ``side`` pixels of the crop.

    Takes float ``[N, 3, S, S]`` in -1 to 1; gives features ``[N, 768]``, the class token and the
    mean of the patches. ``start`` is a file of weights in timm's names or in those of transformers,
    or an ONNX graph that holds them; ``load_start`` and ``tower_in`` say what they raise. With
    ``rank`` the tower's own matrices stand still, and each has an adapter of that rank beside it
    until ``fold`` puts it in.
    """

    def __init__(
        self, start: Path | None = None, blocks: int = BLOCKS, rank: int = 0, side: int = SIDE
    ) -> None:
        super().__init__()
        import timm

        net: Any = timm.create_model(NET, num_classes=0, img_size=side, depth=blocks)
        if start is not None:
            load_start(net, start, lambda state: in_timms_names(state, blocks, side), tower_in)
        self.view = side / 224  # no pixel of the crop is resampled
        self.net: Any = net
        self.dim = 2 * int(net.num_features)
        self.local_widths: tuple[int, ...] = (int(net.num_features),)
        self.drop = nn.Dropout(0.2)
        facts = net.pretrained_cfg
        self.fit = Resized(side, facts["mean"], facts["std"])
        self._fuse(bool(rank) and torch.cuda.is_available())
        if rank:
            self._adapt(rank)

    def _adapt(self, rank: int) -> None:
        for name, value in self.net.named_parameters():
            value.requires_grad_(name.endswith("bias") or "norm" in name or "gamma" in name)
        for part in list(self.net.modules()):
            for name, layer in list(part.named_children()):
                if name in _LAYERS and isinstance(layer, nn.Linear):
                    setattr(part, name, Adapted(layer, rank))

    def _fuse(self, fused: bool) -> None:
        """Attention as one operation is quick to train on a GPU; written out it is a plain graph,
        and on a CPU the quicker of the two."""
        for block in self.net.blocks:
            block.attn.fused_attn = fused and block.attn.fused_attn

    def fold(self) -> None:
        """Put every adapter into the matrix beside it; the features stay as they are."""
        for part in list(self.net.modules()):
            for name, layer in list(part.named_children()):
                if isinstance(layer, Adapted):
                    setattr(part, name, layer.folded())
        self._fuse(False)

    def forward(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.drop(_pooled(self._tokens(image))))

    def searched(self, image: Tensor) -> tuple[Tensor, tuple[Tensor, ...]]:
        """What ``forward`` gives, and the patches as a map ``[N, 384, 13, 13]``, in which a border
        is searched."""
        tokens = self._tokens(image)
        side = math.isqrt(tokens.shape[1] - 1)
        patches = tokens[:, 1:].transpose(1, 2).reshape(len(tokens), -1, side, side)
        return cast(Tensor, self.drop(_pooled(tokens))), (patches,)

    def _tokens(self, image: Tensor) -> Tensor:
        return cast(Tensor, self.net.forward_features(self.fit(middle(image, self.view))))

    def entering(self, image: Tensor) -> Tensor:
        """The tokens as they enter the last block, ``[N, 1 + patches, 384]``, the class's first."""
        net = self.net
        seen = self.fit(middle(image, self.view))
        tokens: Tensor = net.norm_pre(net.patch_drop(net._pos_embed(net.patch_embed(seen))))
        for block in net.blocks[:-1]:
            tokens = block(tokens)
        return tokens

    def leaving(self, tokens: Tensor) -> Tensor:
        """What ``forward`` gives, from what ``entering`` gave."""
        return _pooled(self.net.norm(self.net.blocks[-1](tokens)))


def _pooled(tokens: Tensor) -> Tensor:
    return torch.cat((tokens[:, 0], tokens[:, 1:].mean(1)), 1)


class Adapted(nn.Module):
    """A linear layer that stands still, and a product of two thin matrices beside it."""

    def __init__(self, layer: nn.Linear, rank: int) -> None:
        super().__init__()
        self.layer = layer
        self.down = nn.Parameter(torch.empty(rank, layer.in_features))
        self.up = nn.Parameter(torch.zeros(layer.out_features, rank))
        nn.init.kaiming_uniform_(self.down, a=math.sqrt(5))
        layer.weight.requires_grad_(False)

    def forward(self, x: Tensor) -> Tensor:
        beside = functional.linear(functional.linear(x, self.down), self.up)
        return cast(Tensor, self.layer(x)) + beside

    def folded(self) -> nn.Linear:
        """One layer that gives the same."""
        with torch.no_grad():
            self.layer.weight += self.up @ self.down
        return self.layer


def in_timms_names(state: State, blocks: int = BLOCKS, side: int = SIDE) -> State:
    """``state`` of transformers' Dinov2Model under timm's names, and either without later blocks.

    The places' embedding is brought to ``side`` pixels. A name that is not in it stays as it is,
    so that loading says which.
    """
    result: State = {}
    parts: dict[tuple[str, str], dict[str, Tensor]] = {}
    for name, value in state.items():
        name = name.removeprefix("dinov2.").removeprefix("backbone.")
        if name.startswith("encoder.layer."):
            number, _, rest = name.removeprefix("encoder.layer.").partition(".")
            inner, _, kind = rest.rpartition(".")
            if inner.startswith("attention.attention."):
                place = f"blocks.{number}.attn.qkv", kind
                parts.setdefault(place, {})[inner.rpartition(".")[2]] = value
                continue
            whole = _NAMES.get(rest) or f"{_NAMES.get(inner, inner)}.{kind}"
            name = f"blocks.{number}.{whole}"
        name = name.replace("embeddings.patch_embeddings.projection.", "patch_embed.proj.")
        name = name.replace("embeddings.cls_token", "cls_token").replace("layernorm.", "norm.")
        name = name.replace("embeddings.position_embeddings", "pos_embed")
        if name not in ("embeddings.mask_token", "mask_token"):
            result[name] = value
    for (block, kind), three in parts.items():
        result[f"{block}.{kind}"] = torch.cat([three[one] for one in ("query", "key", "value")])
    if "pos_embed" in result:
        from timm.layers.pos_embed import resample_abs_pos_embed

        result["pos_embed"] = resample_abs_pos_embed(
            result["pos_embed"], [side // PATCH] * 2, num_prefix_tokens=1
        )
    later = [
        name for name in result if name.startswith("blocks.") and int(name.split(".")[1]) >= blocks
    ]
    for name in later:
        del result[name]
    return result
