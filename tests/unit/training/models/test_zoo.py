"""The named models: each is what it says it is, takes a training step, and exports the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning as L
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.export.layout import CROP_SHAPE
from training.export.onnx_export import write_member
from training.fit.batches import Batch
from training.fit.frame_model import FrameModel
from training.fit.frames_module import Clock, FrameModule
from training.fit.head_module import HeadModule
from training.fit.quiet import quiet
from training.models import backbones
from training.models.backbones import ClipEncoder, FaceNetEncoder, TimmEncoder
from training.models.encoder import ServedEncoder
from training.models.heads import WideLSTM
from training.models.member import load_member
from training.models.registry import FULL, ZOO, Spec, make_encoder, make_head, parse
from training.models.weights import load_start

pytestmark = pytest.mark.slow  # trains and exports every large network

SIZES = {
    "resnet50": (224, 2048),
    "efficientnet_b0": (224, 1280),
    "inception_v3": (299, 2048),
    "inception_resnet_v1": (160, 512),
    "clip_vit_l14": (224, 1024),
    "resnext50_lstm": (112, 2048),
    "inception_v3_gru": (299, 2048),
    "efficientnet_b2_gru": (256, 1408),
}
SMALL_CLIP = {"embed_dim": 64, "depth": 2, "num_heads": 2}


class Forever(IterableDataset[Batch]):
    def __init__(self, batch: Batch) -> None:
        self.batch = batch

    def __iter__(self) -> Iterator[Batch]:
        while True:
            yield self.batch


def one_step(module: L.LightningModule, batch: Batch) -> None:
    """One real step by Lightning's trainer."""
    with quiet():
        trainer = L.Trainer(
            max_steps=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(module, DataLoader(Forever(batch), batch_size=None))
    assert trainer.global_step == 1


def changed(module: nn.Module, before: dict[str, Tensor]) -> set[str]:
    return {
        name for name, value in module.named_parameters() if not torch.equal(value, before[name])
    }


def parameters(module: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in module.named_parameters()}


def trained_and_exported(spec: Spec, encoder: nn.Module, repo: Path, fp16: bool) -> set[str]:
    """One step of the encoder and one of the head, then the export with its parity check.

    Returns the encoder's parameters that the step changed.
    """
    torch.manual_seed(1)
    dim: Any = encoder.dim
    crops = torch.randint(0, 256, (2, *CROP_SHAPE), dtype=torch.uint8)
    model = FrameModel(encoder, dim)
    before = parameters(model.encoder)
    frames = FrameModule(model, Clock(1, 0), rate=1e-3, new_rate=1e-3, warmup=1)
    one_step(frames, {"image": crops, "label": torch.tensor([0.0, 1.0])})
    moved = changed(model.encoder, before)
    # Everything that is trained takes part: DDP would wait for ever for what does not.
    trainable = [value for value in model.parameters() if value.requires_grad]
    assert all(value.grad is not None for value in trainable)

    head = make_head(spec, dim)
    begun = parameters(head)
    windows = {
        "features": torch.randn(2, 5, dim),
        "length": torch.tensor([[5], [3]], dtype=torch.int32),
        "label": torch.tensor([[0.0], [1.0]]),
    }
    one_step(HeadModule(head, 1), windows)
    assert changed(head, begun)

    served = ServedEncoder(encoder).eval()
    report = write_member(repo, spec.name, served, head, dim, fp16=fp16)
    stored = f"{spec.name}_encoder, its weights stored in 16 bit"
    graphs = {f"{spec.name}_encoder": 1e-3, stored: 1e-2, f"{spec.name}_sequence": 1e-3}
    assert {one.model for one in report.parity} == set(graphs)
    for one in report.parity:
        assert one.fp32 <= graphs[one.model] * max(1.0, one.scale) and one.scale > 0
    return moved


def test_the_zoo_is_complete() -> None:
    assert set(FULL) == set(SIZES) and {*FULL, "landmark_gru"} == set(ZOO)
    for name in SIZES:
        assert parse(name).name == name


@pytest.mark.parametrize("name", [name for name in SIZES if name != "clip_vit_l14"])
def test_a_model_of_the_zoo_trains_and_exports(name: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    spec = parse(name)
    encoder = make_encoder(spec)
    assert isinstance(encoder, TimmEncoder | FaceNetEncoder)
    assert (encoder.fit.size, encoder.dim) == SIZES[name]
    moved = trained_and_exported(spec, encoder, tmp_path, fp16=name == "efficientnet_b0")
    # All of it is trained, from the first layer on. (A residual branch whose last scale begins
    # at zero, as timm's ResNets do, passes nothing back to its biases in the first step.)
    names = [name for name, value in encoder.named_parameters() if value.requires_grad]
    assert names == [name for name, _ in encoder.named_parameters()]
    assert names[0] in moved and len(moved) > 0.6 * len(names)


def test_clip_trains_its_layer_norms_alone(tmp_path: Path) -> None:
    torch.manual_seed(0)
    encoder = ClipEncoder(**SMALL_CLIP)
    moved = trained_and_exported(parse("clip_vit_l14"), encoder, tmp_path, fp16=True)
    assert moved and all(".norm" in name for name in moved)
    assert len(moved) == 2 * (2 * 2 + 2)  # weight and bias: two a block, one before, one after
    features = encoder(torch.rand(3, 3, 224, 224) * 2 - 1)
    assert torch.allclose(features.norm(dim=1), torch.ones(3), atol=1e-5)


def test_the_whole_clip_is_a_vit_l14() -> None:
    with torch.device("meta"):  # shapes alone: no memory, no time
        encoder = ClipEncoder()
    assert (encoder.fit.size, encoder.dim) == SIZES["clip_vit_l14"]
    sizes = [(value.numel(), value.requires_grad) for value in encoder.parameters()]
    trained = sum(count for count, wanted in sizes if wanted)
    total = sum(count for count, _ in sizes)
    assert total == 303_179_776 and trained == 102_400  # 0.03 %, as published


@pytest.mark.timeout(900)
def test_the_whole_clip_trains_and_exports(tmp_path: Path) -> None:
    spec = parse("clip_vit_l14")
    encoder = make_encoder(spec)
    assert isinstance(encoder, ClipEncoder)
    moved = trained_and_exported(spec, encoder, tmp_path, fp16=False)
    assert len(moved) == 2 * (24 * 2 + 2)
    size = (tmp_path / "clip_vit_l14_encoder" / "1" / "model.onnx").stat().st_size
    assert 0.6e9 < size < 0.7e9  # two bytes a weight


def test_each_network_gets_its_own_range() -> None:
    black, white = torch.full((1, 3, 224, 224), -1.0), torch.ones(1, 3, 224, 224)
    for fit, low, high in (
        (backbones.Resized(112, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)), -2.118, 2.640),
        (backbones.Resized(299, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)), -1.0, 1.0),
    ):
        small, bright = fit(black), fit(white)
        assert small.shape == (1, 3, fit.size, fit.size)
        assert float(small[0, 0, 0, 0]) == pytest.approx(low, abs=1e-3)
        assert float(bright[0, 2, 5, 5]) == pytest.approx(high, abs=1e-3)
    with torch.device("meta"):
        means = {name: make_encoder(parse(name)).fit.shift.shape for name in SIZES}
    assert set(means.values()) == {torch.Size([3, 1, 1])}


def test_every_frame_of_the_window_counts() -> None:
    """The published ResNeXt + LSTM ran over the batch: all but one frame changed nothing."""
    torch.manual_seed(0)
    head = make_head(parse("resnext50_lstm"), 2048).eval()
    assert isinstance(head, WideLSTM)
    assert head.lstm.hidden_size == 2048 and head.lstm.num_layers == 1 and head.lstm.batch_first
    assert head.drop.p == 0.4
    features = torch.randn(1, 20, 2048, requires_grad=True)
    head(features, torch.tensor([[16]])).sum().backward()
    assert features.grad is not None
    felt = features.grad.abs().sum(2)[0]
    assert (felt[:16] > 0).all() and (felt[16:] == 0).all()
    # One clip's verdict does not rest on the clip beside it either.
    two = torch.randn(2, 20, 2048)
    length = torch.tensor([[20], [20]])
    with torch.inference_mode():
        assert torch.allclose(head(two, length)[:1], head(two[:1], length[:1]), atol=1e-5)


@pytest.mark.parametrize("name", ["resnext50_lstm", "efficientnet_b0"])
def test_the_train_step_makes_a_member(name: str, tmp_path: Path) -> None:
    """A head that begins as the mean of its frames falls back on it; the wide one has none."""
    shards, run = tiny_shards(tmp_path / "shards"), tmp_path / "run"
    arguments = ["train", "--model", name, "--shards", str(shards), "--run", str(run)]
    arguments += ["--steps", "1", "--head-steps", "1", "--passes", "1", "--size", "112"]
    arguments += ["--mix", '{"blended": 1, "paired": 0, "given": 0, "stills": 0}']
    assert main([*arguments, "--precision", "32-true", "--accelerator", "cpu"]) == 0
    member = load_member(run / "member.pt")
    assert member.name == name and isinstance(member.head, WideLSTM) == (name == "resnext50_lstm")
    assert set(member.facts) == {"dev", "mean_of_frames"}
    figures: Any = member.facts["dev"]
    assert 0 <= figures["tiny"] <= 1


def test_padding_changes_nothing_for_the_wide_head() -> None:
    torch.manual_seed(0)
    head = WideLSTM(8, hidden=16).eval()
    features = torch.randn(2, 6, 8)
    length = torch.tensor([[6], [2]])
    plain = head(features, length)
    padded = torch.cat((features, torch.full((2, 94, 8), float("nan"))), 1)
    padded[1, 2:] = 1e4
    assert torch.allclose(head(padded, length), plain, atol=1e-5)
    assert torch.isfinite(head(features, torch.zeros(2, 1, dtype=torch.int32))).all()


def test_a_start_from_a_file_with_a_classifier(tmp_path: Path) -> None:
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    whole = timm.create_model("efficientnet_b0", num_classes=10)
    save_file(whole.state_dict(), tmp_path / "start.safetensors")
    encoder = make_encoder(parse("efficientnet_b0"), tmp_path / "start.safetensors")
    assert isinstance(encoder, TimmEncoder)
    given = whole.state_dict()
    assert all(torch.equal(value, given[name]) for name, value in encoder.net.state_dict().items())

    torch.save({"state_dict": {"conv_stem.weight": torch.zeros(3)}}, tmp_path / "part.pt")
    with pytest.raises(
        ValueError, match=r"part\.pt does not fit EfficientNet: lacks .* and \d+ more"
    ):
        load_start(encoder.net, tmp_path / "part.pt")
    with pytest.raises(FileNotFoundError, match="nothing"):
        load_start(encoder.net, tmp_path / "nothing.pt")


def test_facenet_starts_from_its_own_files(tmp_path: Path) -> None:
    from facenet_pytorch.models.inception_resnet_v1 import InceptionResnetV1

    torch.manual_seed(0)
    published = InceptionResnetV1(pretrained=None, classify=True, num_classes=12).eval()
    torch.save(published.state_dict(), tmp_path / "vggface2.pt")
    encoder = FaceNetEncoder(tmp_path / "vggface2.pt").eval()
    image = torch.rand(2, 3, 160, 160) * 2 - 1
    with torch.inference_mode():
        assert torch.allclose(published.logits(encoder(image)), published(image), atol=1e-4)


def test_clip_starts_from_the_published_layout(tmp_path: Path) -> None:
    """OpenAI's names for the tower's weights, with the text tower beside it."""
    torch.manual_seed(0)
    source = ClipEncoder(**SMALL_CLIP)
    swaps = (
        ("patch_embed.proj.", "conv1."),
        ("blocks.", "transformer.resblocks."),
        ("norm_pre.", "ln_pre."),
        ("attn.qkv.", "attn.in_proj_"),
        ("attn.proj.", "attn.out_proj."),
        ("mlp.fc1.", "mlp.c_fc."),
        ("mlp.fc2.", "mlp.c_proj."),
        (".norm1.", ".ln_1."),
        (".norm2.", ".ln_2."),
    )
    state: dict[str, Tensor] = {"logit_scale": torch.zeros(()), "visual.proj": torch.zeros(64, 32)}
    for name, value in source.net.state_dict().items():
        if name == "cls_token":
            name, value = "class_embedding", value[0, 0]
        elif name == "pos_embed":
            name, value = "positional_embedding", value[0]
        elif name.startswith("norm."):
            name = name.replace("norm.", "ln_post.")
        for ours, theirs in swaps:
            name = name.replace(ours, theirs)
        state[f"visual.{name}"] = value
    torch.save(state, tmp_path / "clip.pt")
    torch.manual_seed(1)
    encoder = ClipEncoder(tmp_path / "clip.pt", **SMALL_CLIP)
    image = torch.rand(1, 3, 224, 224)
    with torch.inference_mode():
        assert torch.allclose(encoder(image), source(image), atol=1e-6)
