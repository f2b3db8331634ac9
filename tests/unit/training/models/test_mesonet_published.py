"""MesoNet's weights as Keras writes them, read into our nets."""

from pathlib import Path

import h5py  # type: ignore[import-untyped]
import numpy as np
import pytest
import torch
from torch import nn

from training.models.mesonet import Meso4, MesoInception4
from training.models.mesonet_published import published

Net = Meso4 | MesoInception4


def shaken(net: Net) -> Net:
    """Random norms too: fresh ones would hide a mistake in their order."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values in (module.weight.data, module.bias.data, module.running_mean):
                assert values is not None
                values.uniform_(0.5, 1.5)
            assert module.running_var is not None
            module.running_var.uniform_(0.5, 2.0)
    return net.eval()


def write(path: Path, net: Net, last: nn.Linear, first: int = 1) -> None:
    """``net`` as Keras lays it out: names numbered from ``first`` in the order of making, groups
    in another one, channels last."""
    layers: dict[str, dict[str, np.ndarray]] = {}

    def name(kind: str) -> str:
        return f"{kind}_{first + sum(one.startswith(kind) for one in layers)}"

    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            kernel = module.weight.detach().numpy().transpose(2, 3, 1, 0)
            assert module.bias is not None
            layers[name("conv2d")] = {"kernel": kernel, "bias": module.bias.detach().numpy()}
        elif isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None and module.running_var is not None
            layers[name("batch_normalization")] = {
                "gamma": module.weight.detach().numpy(),
                "beta": module.bias.detach().numpy(),
                "moving_mean": module.running_mean.numpy(),
                "moving_variance": module.running_var.numpy() - (1e-3 - module.eps),
            }
    hidden = net.tail.hidden.weight.detach().numpy().reshape(16, 16, 8, 8)
    layers[name("dense")] = {
        "kernel": hidden.transpose(2, 3, 1, 0).reshape(1024, 16),
        "bias": net.tail.hidden.bias.detach().numpy(),
    }
    layers[name("dense")] = {
        "kernel": -last.weight.detach().numpy().T,
        "bias": -last.bias.detach().numpy(),
    }
    with h5py.File(path, "w") as file:
        for one, weights in reversed(layers.items()):
            group = file.create_group(one)
            group.attrs["weight_names"] = np.array([f"{one}/{key}:0" for key in weights], "S")
            for key, values in weights.items():
                group[f"{one}/{key}:0"] = values
        for one in ("dropout_1", "flatten_1"):
            file.create_group(one).attrs["weight_names"] = np.zeros(0)


@pytest.mark.parametrize(("kind", "name"), [(Meso4, "meso4"), (MesoInception4, "mesoinception4")])
@pytest.mark.parametrize("first", [1, 8])
def test_answers_are_those_of_the_net_that_was_written(
    kind: type[Net], name: str, first: int, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    net, last = shaken(kind()), nn.Linear(16, 1)
    write(tmp_path / "weights.h5", net, last, first)
    member = published(tmp_path / "weights.h5")
    assert member.name == f"{name}_mean" and member.encoder is not None
    image = torch.rand(2, 3, 224, 224) * 2 - 1
    with torch.inference_mode():
        features = member.encoder(image)
        torch.testing.assert_close(features, net(image), atol=1e-4, rtol=1e-4)
        logit = member.head(features[:, None], torch.ones(2, 1, dtype=torch.int32))
        torch.testing.assert_close(logit, last(net(image)), atol=1e-4, rtol=1e-4)


def test_other_files_are_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        group = file.create_group("dense_1")
        group.attrs["weight_names"] = np.array(["dense_1/kernel:0"], "S")
        group["dense_1/kernel:0"] = np.zeros((2, 2), np.float32)
    with pytest.raises(ValueError, match="0 convolutions, 0 norms and 1 dense layers"):
        published(other)
    other.write_text("no weights")
    with pytest.raises(ValueError, match="no file of Keras"):
        published(other)
