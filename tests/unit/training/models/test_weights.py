"""Files of weights that are none, or of another model: each is named, with what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from training.models.member import Member, load_member, load_members, save_member
from training.models.registry import make_encoder, make_head, parse
from training.models.weights import averaged, load_start, read_frames, save_frames


def save(path: Path) -> Path:
    spec = parse("meso4_mean")
    save_member(path, Member(spec.name, make_encoder(spec), make_head(spec, 16), 16), {})
    return path


@pytest.mark.parametrize("name", ["text.pt", "text.safetensors"])
def test_what_holds_no_weights_is_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("not weights, but words")
    for read in (load_member, read_frames, lambda path: load_start(torch.nn.Linear(1, 1), path)):
        with pytest.raises(ValueError, match=f"{name} holds no weights"):
            read(path)


def test_a_list_is_no_state(tmp_path: Path) -> None:
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    with pytest.raises(ValueError, match=r"list\.pt holds no weights but a list"):
        read_frames(tmp_path / "list.pt")


def test_a_member_of_another_shape_is_refused_by_name(tmp_path: Path) -> None:
    path = save(tmp_path / "member.pt")
    state = torch.load(path, weights_only=True)
    state["encoder"]["first.weight"] = torch.zeros(4, 3, 3, 3)
    torch.save(state, path)
    with pytest.raises(ValueError, match=r"member\.pt does not fit Meso4: of other size: first\."):
        load_member(path)


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="names of their own, got meso4_mean, meso4_mean"):
        load_members([save(tmp_path / "one.pt"), save(tmp_path / "two.pt")])


def test_frames_weights_are_averaged_and_counters_are_not(tmp_path: Path) -> None:
    paths = [tmp_path / "one.pt", tmp_path / "two.pt"]
    for number, path in enumerate(paths, start=1):
        state = {"w": torch.full((2,), float(number)), "n": torch.tensor(10 * number)}
        save_frames(path, state, {"dev": {}})
    mean = averaged(paths)
    assert mean["w"].tolist() == [1.5, 1.5] and int(mean["n"]) == 10
