"""Grad-CAM in PyTorch, and the same from the exported graph."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import torch
from PIL import Image
from torch import nn

from stream_server.engine import EmbeddedEngine, ModelRepository
from stream_server.engine.check import check_repository
from stream_server.explain.explainer import Explainer
from stream_server.explain.heat import Part, joined, weighed
from tests.support.faces import backdrop, paste, person
from training.__main__ import main
from training.export.heat_map import heat_model
from training.export.members import export_members
from training.judge.grad_cam import grad_cam, still_logit
from training.judge.vote import Vote, Voter
from training.models.backbones import ClipEncoder
from training.models.encoder import as_input
from training.models.explainable import parts_of
from training.models.heads import WideLSTM
from training.models.member import Member, save_member
from training.models.registry import make_encoder, make_head, parse

SMALL = {
    "mobilenetv2_lstm": 224,
    "residual_gru": 224,
    "resnet18_attention": 96,
    "mobilenetv3_small_050_mean": 96,
    "meso4_mean": 224,
    "inception_resnet_v1": 160,
    "test_vit_mean": 160,
    "clip_vit_l14": 224,
    "resnext50_lstm": 64,
}
_LARGE = ("mobilenetv2_lstm", "residual_gru", "inception_resnet_v1", "resnext50_lstm")
NAMED = [pytest.param(name, marks=[pytest.mark.slow] * (name in _LARGE)) for name in SMALL]


def member(name: str) -> Member:
    torch.manual_seed(0)
    spec = parse(name)
    if name == "clip_vit_l14":  # the tower's kind, without its size
        encoder: nn.Module | None = ClipEncoder(depth=2, embed_dim=64, num_heads=4)
    else:
        encoder = make_encoder(spec, size=SMALL[name])
    assert encoder is not None
    dim = int(encoder.dim)
    head = WideLSTM(dim, 32) if spec.head == "wide_lstm" else make_head(spec, dim)
    made = Member(name, encoder, head, dim)
    for part in made.head.parameters():
        nn.init.normal_(part, std=0.2)  # an untrained head is the same whatever it sees
    return made.eval()


def crops(count: int = 3) -> np.ndarray:
    random = np.random.default_rng(5)
    coarse = random.integers(0, 256, (count, 7, 7, 3), np.uint8)
    return np.ascontiguousarray(coarse.repeat(32, 1).repeat(32, 2))


@pytest.mark.parametrize("name", NAMED)
def test_onnx_runtime_finds_what_pytorch_finds(name: str) -> None:
    one = member(name)
    assert one.encoder is not None
    wanted, logits = grad_cam(one, crops())
    assert wanted.shape[0] == 3 and len(logits) == 3
    errors = {}
    for half in (False, True):
        made = heat_model(one.encoder, one.head, half)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(
            made.model.SerializeToString(), options, providers=["CPUExecutionProvider"]
        )
        maps, gradient = session.run(["MAP", "GRADIENT"], {"FRAMES": crops()})
        assert maps.shape == (3, *made.shape) and gradient.shape == (3, made.shape[0])
        found = weighed(maps, gradient)
        errors[half] = float(np.abs(found - wanted).max() / np.abs(wanted).max())
    assert errors[False] < 1e-3
    assert errors[True] < 0.05


def test_grad_cam_is_the_papers_formula() -> None:
    one = member("meso4_mean")
    assert one.encoder is not None
    found, logits = grad_cam(one, crops(2))
    parts = parts_of(one.encoder)
    one.encoder.double()
    one.head.double()
    (maps,) = parts.last_map(as_input(torch.from_numpy(crops(2))).double())
    slopes = torch.zeros_like(maps)
    # By small steps instead of by derivative: one channel, all places at once.
    step = 1e-6
    with torch.no_grad():
        for channel in range(maps.shape[1]):
            moved = torch.zeros_like(maps)
            moved[:, channel] = step
            up, down = (still_logit(one.head, parts.from_map(maps + s * moved)) for s in (1, -1))
            slopes[:, channel] = ((up - down) / (2 * step) / maps[0, 0].numel())[:, :, None]
        wanted = (slopes * maps).sum(1).numpy()
    assert np.allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
    assert logits.shape == (2,)


def test_it_agrees_with_pytorch_grad_cam() -> None:
    package = pytest.importorskip(
        "pytorch_grad_cam",
        reason="pytorch-grad-cam is not installed; see training/judge/grad_cam.py",
    )
    one = member("resnet18_attention")
    assert one.encoder is not None
    found, _ = grad_cam(one, crops(1))

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder: Any = one.encoder
            self.head = one.head

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return still_logit(self.head, self.encoder(image))

    layer = one.encoder.net.layer4[-1]
    with package.GradCAM(model=Whole(), target_layers=[layer]) as cam:
        image = as_input(torch.from_numpy(crops(1)))
        targets = [package.utils.model_targets.ClassifierOutputTarget(0)]
        theirs = cam(input_tensor=image, targets=targets)[0]
    mine = np.maximum(found[0], 0)
    size = theirs.shape[0] // found.shape[1]
    centres = theirs[size // 2 :: size, size // 2 :: size]
    assert np.corrcoef(centres.ravel(), (mine / max(mine.max(), 1e-9)).ravel())[0, 1] > 0.95


def test_an_encoder_of_its_own_says_where_its_map_is() -> None:
    class Own(nn.Module):
        dim, view = 4, 0.5

        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 32, stride=32)

        def forward(self, image: torch.Tensor) -> torch.Tensor:
            return self.from_map(*self.last_map(image))

        def last_map(self, image: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (self.conv(image),)

        def from_map(self, maps: torch.Tensor, *rest: torch.Tensor) -> torch.Tensor:
            return maps.mean((2, 3))

    assert parts_of(Own()).view == 0.5
    own = Own()
    own.forward = lambda image: own.from_map(*own.last_map(image)) + 1
    with pytest.raises(ValueError, match="differ by 1"):
        parts_of(own)
    with pytest.raises(ValueError, match="does not say where its last map is"):
        parts_of(nn.Flatten())


def test_a_member_without_a_picture_cannot_be_explained() -> None:
    spec = parse("landmark_gru")
    with pytest.raises(ValueError, match="landmarks only"):
        grad_cam(Member(spec.name, None, make_head(spec, 10), 10), crops(1))


def test_export_writes_the_map_and_the_repository_passes(tmp_path: Path) -> None:
    one = member("meso4_mean")
    vote = Vote((Voter("meso4_mean"),))
    (report,) = export_members(tmp_path, [one], vote, "made in a test")
    assert any("meso4_mean_map: heat maps are at most" in line for line in report.lines())
    assert check_repository(tmp_path) == []
    explainer = Explainer(EmbeddedEngine(ModelRepository.load(tmp_path)))
    assert explainer.members == ("meso4_mean",)
    heat = asyncio.run(explainer.explain(crops(1)[0]))
    wanted = joined([Part(grad_cam(one, crops(1))[0][0], 1.0)])
    assert np.abs(heat.grid - wanted).max() < 0.02
    export_members(tmp_path, [one], vote, "made in a test", maps=False)
    assert not (tmp_path / "meso4_mean_map").exists()


def test_the_step_draws_faces_and_says_what_it_could_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_member(tmp_path / "member.pt", member("meso4_mean"), {})
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    Image.fromarray(paste(backdrop(), person(), (320, 180), 260)).save(pictures / "face.png")
    Image.fromarray(backdrop()).save(pictures / "landscape.jpg")
    (pictures / "broken.png").write_text("no picture")
    out = tmp_path / "out"
    asked = ["explain", "--member", str(tmp_path / "member.pt"), str(pictures), "--out", str(out)]
    assert main(asked) == 0
    facts = json.loads((out / "heat.json").read_text())
    (face,) = facts["faces"]
    assert facts["member"] == "meso4_mean" and face["picture"].endswith("face.png")
    assert np.array(face["heat"]).shape == (14, 14)
    with Image.open(out / face["file"]) as drawn:
        assert drawn.size == (448, 224)
    said = capsys.readouterr().err
    assert "landscape.jpg: no face found" in said and "broken.png" in said
    asked[2] = str(tmp_path / "nothing.pt")
    assert main(asked) == 2
