"""DINOv2's first blocks: their start under either name, and adapters that fold away."""

from pathlib import Path

import pytest
import timm
import torch

from training.models import dino
from training.models.dino import DinoEncoder
from training.models.registry import make_encoder, parse
from training.models.weights import State


def transformers_names(state: State) -> State:
    """``state`` of timm under the names of transformers' Dinov2Model."""
    inner = {ours: theirs for theirs, ours in dino._NAMES.items()}
    outer = {
        "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj.weight": "embeddings.patch_embeddings.projection.weight",
        "patch_embed.proj.bias": "embeddings.patch_embeddings.projection.bias",
        "norm.weight": "layernorm.weight", "norm.bias": "layernorm.bias",
    }  # fmt: skip
    result: State = {"embeddings.mask_token": torch.zeros(1, 384)}
    for name, value in state.items():
        if not name.startswith("blocks."):
            result[outer[name]] = value
            continue
        _, number, rest = name.split(".", 2)
        layer = f"encoder.layer.{number}"
        part, _, kind = rest.rpartition(".")
        if part == "attn.qkv":
            for one, piece in zip(("query", "key", "value"), value.chunk(3), strict=True):
                result[f"{layer}.attention.attention.{one}.{kind}"] = piece
        else:
            result[f"{layer}.{inner.get(rest) or f'{inner[part]}.{kind}'}"] = value
    return result


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(5)
    net = timm.create_model(dino.NET, num_classes=0, img_size=dino.SIDE, depth=3)
    return net.state_dict()


def test_a_start_is_the_same_under_either_name_less_its_later_blocks(
    state: State, tmp_path: Path
) -> None:
    for name, found in (("theirs.pt", transformers_names(state)), ("ours.pt", state)):
        torch.save(found, tmp_path / name)
        loaded = DinoEncoder(tmp_path / name, blocks=2).net.state_dict()
        assert "blocks.2.norm1.weight" not in loaded
        assert all(torch.equal(value, state[part]) for part, value in loaded.items())


def test_weights_of_another_net_are_refused(state: State, tmp_path: Path) -> None:
    odd = {**transformers_names(state), "encoder.layer.0.more.weight": torch.zeros(1)}
    torch.save(odd, tmp_path / "odd.pt")
    with pytest.raises(ValueError, match=r"more\.weight"):
        DinoEncoder(tmp_path / "odd.pt", blocks=3)


def test_the_places_embedding_of_larger_pictures_is_brought_to_size(
    state: State, tmp_path: Path
) -> None:
    wide = torch.randn(1, 1 + 37 * 37, 384)
    torch.save({**state, "pos_embed": wide}, tmp_path / "wide.pt")
    loaded = DinoEncoder(tmp_path / "wide.pt", blocks=2).net.pos_embed
    assert loaded.shape == (1, 1 + 13 * 13, 384)
    assert torch.equal(loaded[:, 0], wide[:, 0])


def test_adapters_begin_at_nothing_and_fold_into_the_matrices() -> None:
    torch.manual_seed(6)
    plain = DinoEncoder(blocks=2).eval()
    adapted = DinoEncoder(blocks=2, rank=4).eval()
    names = {name.replace(".layer.", "."): name for name, _ in adapted.named_parameters()}
    own = dict(adapted.named_parameters())
    with torch.no_grad():
        for name, value in plain.named_parameters():
            if name.endswith("gamma"):
                value.fill_(1)  # or no block would change anything yet
            own[names[name]].copy_(value)
    pictures = torch.rand(2, 3, 224, 224) * 2 - 1
    with torch.no_grad():
        torch.testing.assert_close(adapted(pictures), plain(pictures))
        for name, value in adapted.named_parameters():
            if name.endswith(".up"):
                value.normal_(0, 0.02)
        before = adapted(pictures)
        adapted.fold()
        torch.testing.assert_close(adapted(pictures), before, atol=1e-4, rtol=1e-4)
        assert not torch.allclose(before, plain(pictures), atol=1e-2)
    plain.load_state_dict(adapted.state_dict())  # what is folded is a plain encoder


def test_only_adapters_norms_and_biases_are_trained() -> None:
    trained = {n for n, value in DinoEncoder(blocks=1, rank=4).named_parameters()
               if value.requires_grad}  # fmt: skip
    assert "net.blocks.0.attn.qkv.down" in trained
    assert {"net.blocks.0.norm1.weight", "net.blocks.0.ls1.gamma"} <= trained
    assert not {name for name in trained if name.endswith("layer.weight")}
    assert "net.patch_embed.proj.weight" not in trained


def test_it_is_a_member_that_looks_at_the_middle() -> None:
    encoder = make_encoder(parse("dinov2_mean"))
    assert isinstance(encoder, DinoEncoder)
    encoder.eval()
    picture = torch.rand(1, 3, 224, 224)
    rim = picture.clone()
    rim[:, :, :21], rim[:, :, -21:], rim[..., :21], rim[..., -21:] = 0, 0, 0, 0
    with torch.no_grad():
        assert encoder(picture).shape == (1, encoder.dim) == (1, 768)
        torch.testing.assert_close(encoder(picture), encoder(rim))
