"""EfficientNet-Lite: its start under either name, its shapes, its parts and its member."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import timm
import torch

from training.models import lite
from training.models.explainable import parts_of
from training.models.lite import EfficientNetLiteEncoder, in_timms_names
from training.models.registry import make_encoder, parse
from training.models.weights import State

BLOCKS = (1, 2, 2, 3, 3, 4, 1)


def other_names(state: State, blocks: Sequence[int] = BLOCKS) -> State:
    """``state`` of timm under the names of efficientnet-lite-pytorch."""
    outer = {ours: theirs for theirs, ours in lite._PARTS.items()}
    before = [sum(blocks[:stage]) for stage in range(7)]
    result = {}
    for name, value in state.items():
        part, *rest = name.split(".")
        if part == "blocks":
            stage, place = int(rest[0]), int(rest[1])
            inner = lite._FIRST if stage == 0 else lite._LATER
            theirs = {ours: name for name, ours in inner.items()}[rest[2]]
            name = ".".join(["_blocks", str(before[stage] + place), theirs, *rest[3:]])
        else:
            name = ".".join([outer[part], *rest])
        result[name] = value
    return result


@pytest.fixture(scope="module")
def state() -> State:
    torch.manual_seed(3)
    return timm.create_model(lite.NET.format(0)).state_dict()


def test_a_start_is_the_same_under_either_name(state: State, tmp_path: Path) -> None:
    theirs = other_names(state)
    assert not set(theirs) & set(state)
    assert {k: v.shape for k, v in in_timms_names(theirs, BLOCKS).items()} == {
        k: v.shape for k, v in state.items()
    }
    for name, found in (("theirs.pth", theirs), ("ours.pth", state)):
        torch.save(found, tmp_path / name)
        loaded = EfficientNetLiteEncoder(tmp_path / name).net.state_dict()
        assert all(torch.equal(loaded[part], state[part]) for part in loaded)


def test_the_larger_one_has_more_blocks(tmp_path: Path) -> None:
    net = timm.create_model(lite.NET.format(2))
    torch.save(other_names(net.state_dict(), (1, 3, 3, 4, 4, 5, 1)), tmp_path / "theirs.pth")
    encoder = make_encoder(parse("efficientnet_lite2_mean"), tmp_path / "theirs.pth")
    assert isinstance(encoder, EfficientNetLiteEncoder)
    assert all(torch.equal(v, net.state_dict()[k]) for k, v in encoder.net.state_dict().items())
    early, late = encoder.stages(torch.zeros(1, 3, 224, 224))
    assert (early.shape[1], late.shape[1]) == encoder.local_widths == (120, 1280)


def test_weights_of_another_net_are_refused(state: State, tmp_path: Path) -> None:
    odd = dict(other_names(state))
    odd.pop("_conv_head.weight")
    torch.save(odd, tmp_path / "odd.pth")
    with pytest.raises(ValueError, match=r"conv_head\.weight"):
        EfficientNetLiteEncoder(tmp_path / "odd.pth")
    torch.save({**other_names(state), "_more.weight": torch.zeros(1)}, tmp_path / "more.pth")
    with pytest.raises(ValueError, match=r"_more\.weight"):
        EfficientNetLiteEncoder(tmp_path / "more.pth")


def test_it_sees_what_the_imagenet_net_saw(state: State) -> None:
    encoder = EfficientNetLiteEncoder().eval()
    encoder.net.load_state_dict(
        {name: value for name, value in state.items() if not name.startswith("classifier.")}
    )
    whole = timm.create_model(lite.NET.format(0), num_classes=0).eval()
    whole.load_state_dict(encoder.net.state_dict())
    pixels = torch.randint(0, 256, (2, 3, 224, 224)).float()
    with torch.no_grad():
        got = encoder.maps(pixels / 127.5 - 1)
        wanted = whole.forward_features((pixels[:, :, 16:208, 16:208] - 127) / 128)
    assert got.shape == (2, 1280, 6, 6)
    torch.testing.assert_close(got, wanted, atol=1e-3, rtol=1e-3)


def test_it_is_a_member_with_a_map() -> None:
    encoder = make_encoder(parse("efficientnet_lite0_lstm"))
    assert isinstance(encoder, EfficientNetLiteEncoder)
    early, late = encoder.eval().stages(torch.zeros(1, 3, 224, 224))
    assert early.shape[1] == encoder.local_widths[0] and late.shape[1] == encoder.local_widths[1]
    assert parts_of(encoder).view == pytest.approx(6 / 7)
