"""The registry, the heads, and members on disk."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.models.encoder import MobileNetV2Encoder, ServedEncoder
from training.models.heads import HEADS, HeadKind, LandmarkHead, SequenceHead
from training.models.member import Member, load_member, save_member
from training.models.registry import NAMES, ZOO, make_encoder, make_head, parse


def test_every_name_of_the_registry_can_be_built() -> None:
    for name in NAMES:
        spec = parse(name)
        if name in ZOO or spec.backbone.startswith("resne"):
            continue  # large: test_training_zoo.py builds, trains and exports each
        encoder = make_encoder(spec, size=96)
        assert encoder is not None
        features = encoder.eval()(torch.zeros(2, 3, 224, 224))
        dim = encoder.dim
        assert isinstance(dim, int) and features.shape == (2, dim)
        logit = make_head(spec, dim)(features[:, None], torch.ones(2, 1, dtype=torch.int32))
        assert logit.shape == (2, 1)


@pytest.mark.parametrize("name", ["nosuchnet_lstm", "efficientnet_b1", "lstm", "mobilenetv2_rnn"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        parse(name)


@pytest.mark.parametrize("kind", HEADS)
def test_padding_changes_nothing(kind: HeadKind) -> None:
    torch.manual_seed(0)
    head = SequenceHead(8, kind).eval()
    for layer in (head.step, head.weigh):
        if isinstance(layer, torch.nn.Linear):
            torch.nn.init.normal_(layer.weight)
    features = torch.randn(3, 10, 8)
    length = torch.tensor([[10], [4], [1]])
    plain = head(features, length)
    for filler in (0.0, 1e4, float("nan")):
        padded = torch.full((3, 100, 8), filler)
        for row, steps in enumerate(length.flatten().tolist()):
            padded[row, :steps] = features[row, :steps]
        assert torch.allclose(head(padded, length), plain, atol=1e-4)
    assert torch.isfinite(head(features, torch.zeros(3, 1, dtype=torch.int32))).all()


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_a_new_head_is_the_mean_of_its_frames_and_can_learn_order(kind: HeadKind) -> None:
    torch.manual_seed(0)
    head = SequenceHead(4, kind, hidden=16, dropout=0)
    features = torch.randn(64, 12, 4)
    length = torch.full((64, 1), 12)
    mean = head.frame(features).mean(1)
    assert torch.allclose(head(features, length), mean, atol=1e-6)
    # What changes over time and not what is there: a rising or a falling first feature.
    rise = torch.linspace(-1, 1, 12)[None, :, None]
    label = (torch.arange(64) % 2).float()[:, None]
    features = torch.cat((rise * (2 * label[:, :, None] - 1), torch.randn(64, 12, 3) * 0.1), 2)
    optimizer = torch.optim.Adam(head.parameters(), 0.01)
    for _ in range(60):
        loss = torch.nn.functional.binary_cross_entropy_with_logits(head(features, length), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ((head(features, length) > 0) == (label > 0.5)).float().mean() > 0.95


def test_the_landmark_head_sees_movement() -> None:
    torch.manual_seed(0)
    head = LandmarkHead()
    still = torch.full((1, 20, 10), 100.0) + torch.arange(10) * 5
    moving = still.clone()
    moving[:, ::2, :4] += 6
    length = torch.tensor([[20]], dtype=torch.int32)
    assert not torch.allclose(head(still, length), head(moving, length), atol=1e-4)
    padded = torch.cat((moving, torch.full((1, 80, 10), 50.0)), 1)
    assert torch.allclose(head(padded, length), head(moving, length), atol=1e-5)


def test_the_served_encoder_normalises_inside() -> None:
    encoder = MobileNetV2Encoder().eval()
    crops = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    direct = encoder(crops.permute(0, 3, 1, 2).float() / 127.5 - 1)
    assert torch.allclose(ServedEncoder(encoder)(crops), direct, atol=1e-5)


def test_members_survive_the_disk(tmp_path: Path) -> None:
    spec = parse("meso4_gru")
    encoder = make_encoder(spec)
    assert encoder is not None
    member = Member(spec.name, encoder, make_head(spec, 16), 16).eval()
    save_member(tmp_path / "member.pt", member, {"dev": {}})
    again = load_member(tmp_path / "member.pt")
    crops = torch.randn(2, 3, 224, 224)
    assert again.encoder is not None
    assert torch.equal(encoder(crops), again.encoder(crops))
    torch.save({"name": "meso4_gru"}, tmp_path / "odd.pt")
    with pytest.raises(ValueError, match="dim, encoder, head missing"):
        load_member(tmp_path / "odd.pt")
    with pytest.raises(FileNotFoundError, match="nothing"):
        load_member(tmp_path / "nothing.pt")
