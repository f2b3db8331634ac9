"""Several nets on the same batches: pieces that come late, weights kept and put together."""

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support.tiny_shards import tiny_shards
from training.__main__ import main
from training.fit.frame_model import FrameModel
from training.fit.head import load_frames
from training.fit.together import Course, Minutes, Trainee
from training.models.mesonet import Meso4
from training.models.registry import parse
from training.models.weights import save_frames
from training.steps.together import planned

MIX = '{"blended": 1, "paired": 0, "given": 0.5, "stills": 0, "hidden": 1, "donor": 0}'
PLAN = {
    "meso": {"model": "meso4_mean", "course": {"rate": 0.001}},
    "residual": {"model": "residual_mean", "course": {"rate": 0.001}},
}


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pieces")
    shards = tiny_shards(folder / "shards")
    for split in ("train", "dev"):
        assert main(["pack", "--shards", str(shards), "--out", str(folder / split),
                     "--split", split, "--sharpness", "0"]) == 0  # fmt: skip
    return folder


def run(pieces: Path, tmp_path: Path, plan: dict[str, Any], data: Path, *more: str) -> int:
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    return main([
        "together", "--plan", str(tmp_path / "plan.json"), "--shards", str(data),
        "--out", str(tmp_path / "out"), "--minutes", "0.05", "--keep-minutes", "0.02",
        "--mix", MIX, "--group", "2", "--device", "cpu", *more,
    ])  # fmt: skip


def events(out: Path, kind: str) -> list[dict[str, Any]]:
    rows = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [row for row in rows if row["event"] == kind]


@pytest.mark.slow
def test_nets_train_on_pieces_that_come_late_and_are_put_together(
    pieces: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    bring = threading.Timer(1, lambda: shutil.copytree(pieces / "train", data, dirs_exist_ok=True))
    bring.start()
    assert run(pieces, tmp_path, PLAN, data, "--dev", str(pieces / "dev")) == 0
    bring.join()
    out = tmp_path / "out"
    (end,) = events(out, "end")
    assert end["pictures"] == 2 * 6 * end["step"] > 0
    judged = events(out, "dev")
    assert {row["net"] for row in judged} == {"meso", "residual"}
    assert all(row["figures"] and row["bad"] == 0 for row in judged)
    for net, plan in PLAN.items():
        weights = max(out.glob(f"{net}-*.pt"))
        assert all(
            not value.is_floating_point() or value.dtype == torch.half
            for value in torch.load(weights, weights_only=True)["state"].values()
        )
        whole = tmp_path / f"{net}.pt"
        assert main(["assemble", "--plan", str(tmp_path / "plan.json"), "--net", net,
                     "--weights", str(weights), "--out", str(whole)]) == 0  # fmt: skip
        encoder, logit = load_frames(parse(str(plan["model"])), whole)
        with torch.no_grad():
            assert torch.isfinite(logit(encoder.eval()(torch.zeros(1, 3, 224, 224)))).all()


def test_a_net_with_adapters_goes_on_from_what_was_kept_of_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model, course = planned({"model": "dinov2_mean", "rank": 2})
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name.endswith(".up") or name.startswith("logit"):
                value.normal_(0, 0.02)
    kept = Trainee("dino", model, course, torch.device("cpu")).kept()
    assert sum(value.numel() for value in kept.values()) < 1_000_000
    save_frames(tmp_path / "kept.pt", kept, {})
    on, _ = planned({"model": "dinov2_mean", "rank": 2, "begin": str(tmp_path / "kept.pt")})
    for name, value in on.state_dict().items():
        if name in kept:
            torch.testing.assert_close(value, kept[name].float())
    odd = {**kept, "more": torch.zeros(1)}
    save_frames(tmp_path / "odd.pt", odd, {})
    with pytest.raises(ValueError, match=r"odd\.pt does not fit .* more"):
        planned({"model": "dinov2_mean", "rank": 2, "begin": str(tmp_path / "odd.pt")})


def test_patches_are_taught_where_a_blend_runs_and_nothing_of_that_is_kept() -> None:
    torch.manual_seed(3)
    facts = {"model": "dinov2_mean", "rank": 2, "course": {"local": 1.0, "fresh": 0.003}}
    trainee = Trainee("dino", *planned(facts), torch.device("cpu"))
    image, batch = pairs_of(0)
    batch["border"][1, 4:10, 4:10] = 1
    batch["border"][2:] = -1
    image[1, :, 64:160, 64:160] *= -1
    told = []
    for number in range(12):
        trainee.step(image, batch, number, 1.0)
        told.append(trainee.told["border"])
    assert told[-1] < 0.97 * told[0]
    assert not any(name.startswith("local.") for name in trainee.kept())
    down = dict(trainee.model.named_parameters())["encoder.net.blocks.7.mlp.fc2.down"]
    assert down.grad is not None and torch.isfinite(down.grad).all()


def test_what_the_plan_cannot_mean_is_refused(
    pieces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases: list[tuple[dict[str, Any], str]] = [
        ({"model": "meso4_mean", "rank": 4}, "takes no adapters"),
        ({"model": "meso4_mean", "speed": 1}, "the plan has speed"),
        ({"model": "landmark_gru"}, "has no encoder"),
        ({"model": "meso4_mean", "course": {"local": 0.5}}, "local 0.5: meso4_mean has no maps"),
        ({"model": "meso4_mean", "course": {"asks": "it"}}, "asks 'it': it must be one of all"),
        ({"model": "efficientnet_lite0_mean", "course": {"asks": "both", "local": 1}}, "one logit"),
        ({"model": "meso4_mean", "course": {"every": 0}}, "every 0: it must be at least 1"),
    ]
    for plan, words in cases:
        assert run(pieces, tmp_path, {"one": plan}, pieces / "train") == 2
        assert words in capsys.readouterr().err
    (tmp_path / "plan.json").write_text("{}")
    assert main(["assemble", "--plan", str(tmp_path / "plan.json"), "--net", "one",
                 "--weights", "w.pt", "--out", "o.pt"]) == 2  # fmt: skip
    assert "has no net 'one'" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_changes_nothing_and_many_end_the_run() -> None:
    torch.manual_seed(0)
    trainee = Trainee("meso", FrameModel(Meso4(), 16), Course(), torch.device("cpu"))
    before = {name: value.clone() for name, value in trainee.model.named_parameters()}
    image = torch.full((2, 3, 224, 224), float("nan"))
    batch = {
        "label": torch.tensor([0.0, 1.0]),
        "border": torch.zeros(2, 14, 14),
        "question": torch.tensor([0, 0]),
    }
    with pytest.raises(ValueError, match="meso: the loss is nan at step 20"):
        for number in range(40):
            trainee.step(image, batch, number, 1.0)
    assert all(torch.equal(value, before[n]) for n, value in trainee.model.named_parameters())


def pairs_of(*questions: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Random pictures, a pair for each of ``questions``, and one pair that is hidden."""
    count = 2 * len(questions) + 2
    batch = {
        "label": torch.tensor([0.0, 1.0] * len(questions) + [0.5, 0.5]),
        "border": torch.zeros(count, 14, 14),
        "question": torch.tensor([q for q in questions for _ in range(2)] + [0, 0]),
    }
    return torch.rand(count, 3, 224, 224), batch


def changed(trainee: Trainee, before: dict[str, torch.Tensor]) -> set[str]:
    """Which parts of the net a step has changed."""
    return {name.split(".")[0] for name, value in trainee.model.named_parameters()
            if not torch.equal(value, before[name])}  # fmt: skip


@pytest.mark.parametrize(
    ("asks", "question", "parts"),
    [
        ("both", 0, {"encoder", "logit", "generated"}),  # hidden pairs ask every question
        ("generated", 1, {"encoder", "logit"}),
    ],
)
def test_each_question_has_a_logit_of_its_own(asks: str, question: int, parts: set[str]) -> None:
    torch.manual_seed(1)
    model = FrameModel(Meso4(), 16, two=asks == "both")
    trainee = Trainee("meso", model, Course(asks=asks), torch.device("cpu"))
    before = {name: value.clone() for name, value in trainee.model.named_parameters()}
    trainee.step(*pairs_of(question), 0, 1.0)
    assert changed(trainee, before) == parts
    assert all(torch.isfinite(value).all() for value in trainee.model.parameters())
    assert "generated.weight" not in trainee.kept()  # a member has one logit
    assert trainee.score(torch.zeros(3, 224, 224, 3, dtype=torch.uint8)).shape == (
        3, 2 if asks == "both" else 1,
    )  # fmt: skip


def test_pairs_of_the_other_question_leave_a_logit_where_it_was() -> None:
    """What one is taught of changed faces must not move its answer on generated heads."""
    torch.manual_seed(2)
    found = {}
    for question in (0, 1):
        model = FrameModel(Meso4(), 16, two=True)
        trainee = Trainee("meso", model, Course(asks="both"), torch.device("cpu"))
        image, batch = pairs_of(question)
        seen = {name: value[:2] for name, value in batch.items()}  # without the hidden pair
        loss, _ = trainee._loss(trainee.model.answers(image[:2]), seen)
        assert torch.isfinite(loss), "nothing that a net is asked may not spoil the step"
        loss.backward()
        assert model.generated is not None
        slopes = [one.weight.grad for one in (model.logit, model.generated)]
        found[question] = [float(one.abs().sum()) for one in slopes if one is not None]
    assert found[0][0] > 0 == found[0][1]
    assert found[1][1] > 0 == found[1][0]


def test_pictures_that_ask_nothing_of_a_net_are_no_step() -> None:
    course, model = Course(asks="generated"), FrameModel(Meso4(), 16)
    trainee = Trainee("meso", model, course, torch.device("cpu"))
    before = {name: value.clone() for name, value in trainee.model.state_dict().items()}
    image, batch = pairs_of(0)
    trainee.step(image[:2], {name: value[:2] for name, value in batch.items()}, 0, 1.0)
    assert trainee.bad == 0
    assert all(torch.equal(v, before[n]) for n, v in trainee.model.state_dict().items())


def test_the_end_can_be_moved_while_it_runs(tmp_path: Path) -> None:
    clock = Minutes(tmp_path, 10)
    assert clock.factor(0, 100, 0.3) == pytest.approx(0.01)
    assert clock.factor(100, 100, 0.3) == pytest.approx(1.0)
    (tmp_path / "minutes").write_text("no number")
    clock.read()
    assert clock.minutes == 10
    (tmp_path / "minutes").write_text("0.1")
    clock.read()
    assert clock.minutes == 0.1
